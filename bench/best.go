package main

import "time"

// What is repeated is compared by the best of each side: the one that was
// disturbed least by what else the machine does.

func best(runs []syncRun, part func(syncRun) cost) syncRun {
	found := runs[0]
	for _, run := range runs {
		if part(run).Wall < part(found).Wall {
			found = run
		}
	}
	return found
}

// leastOf is what a part of the runs took at its best.
func leastOf(runs []syncRun, part func(syncRun) cost) cost {
	var costs []cost
	for _, run := range runs {
		costs = append(costs, part(run))
	}
	return leastCost(costs)
}

// leastCost takes CPU and wall time from whichever was less.
func leastCost(costs []cost) cost {
	least := costs[0]
	for _, c := range costs {
		least = cost{min(least.Wall, c.Wall), min(least.CPU, c.CPU)}
	}
	return least
}

// interleaved runs functions in turn, and says how long each took at its best.
func interleaved(rounds int, functions ...func() error) ([]time.Duration, error) {
	least := make([]time.Duration, len(functions))
	for round := range rounds {
		for i, function := range functions {
			began := time.Now()
			if err := function(); err != nil {
				return nil, err
			}
			if took := time.Since(began); round == 0 || took < least[i] {
				least[i] = took
			}
		}
	}
	return least, nil
}
