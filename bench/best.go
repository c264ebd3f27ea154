package main

// leastCost is the least of each figure.
func leastCost(costs []cost) cost {
	least := costs[0]
	for _, c := range costs {
		least = least.least(c)
	}
	return least
}
