package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/schema"
)

// columns decodes the treatments of single columns.
func (d *decoder) columns(to *map[string]string, f field, s setting) {
	if s.node.Kind != yaml.MappingNode {
		d.report(s.Position, f.path, "must be columns with their treatments"+found(s.node, false)+", write {alerts.user_name: hash}")
		return
	}
	pairs := d.pairs(f, s)
	if len(pairs) > 0 {
		*to = map[string]string{}
	}
	for path, pair := range pairs {
		at := s.at(pair.node)
		c, known := columnOf(path)
		text, complaint := plain(pair.node)
		switch {
		case !known:
			at = pair.Position
			complaint = "is no column that can be treated" + didYouMean(path, columnPaths())
		case complaint == "" && !slices.Contains(c.Treatments(c.Column), schema.Treatment(text)):
			complaint = "must be one of " + list(treatmentNames(c))
		}
		(*to)[path] = text
		name := shown(path)
		if known || matches(`^[a-z_]{1,40}\.[a-z_]{1,40}$`, path) {
			name = path
		}
		d.sections[join(f.path, path)] = pair
		d.report(at, join(f.path, name), complaint)
	}
}

func columnOf(path string) (schema.TableColumn, bool) {
	all := schema.Treatable()
	i := slices.IndexFunc(all, func(c schema.TableColumn) bool { return c.Path() == path })
	if i < 0 {
		return schema.TableColumn{}, false
	}
	return all[i], true
}

func columnPaths() (paths []string) {
	for _, c := range schema.Treatable() {
		paths = append(paths, c.Path())
	}
	return paths
}

func treatmentNames(c schema.TableColumn) (names []string) {
	for _, with := range c.Treatments(c.Column) {
		names = append(names, string(with))
	}
	return names
}

// columnsNode is the environment's way to write columns:
// alerts.user_name=hash,violations.explanation=mask.
func columnsNode(text string) *yaml.Node {
	columns := &yaml.Node{Kind: yaml.MappingNode}
	for _, item := range split(text, ",") {
		path, with, _ := strings.Cut(item, "=")
		columns.Content = append(columns.Content, textNode(strings.TrimSpace(path)), textNode(strings.TrimSpace(with)))
	}
	return columns
}

func columnsShape() object {
	properties := object{}
	for _, c := range schema.Treatable() {
		properties[c.Path()] = object{"type": "string", "enum": treatmentNames(c), "description": c.Column.Doc}
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties, "default": object{}}
}

// Treatments are those of the columns that are not kept, by path.
func (p Privacy) Treatments() map[string]schema.Treatment {
	all := map[string]schema.Treatment{}
	for _, c := range schema.Treatable() {
		with := schema.Preset(p.Preset, c.Column)
		if named, ok := p.Columns[c.Path()]; ok {
			with = schema.Treatment(named)
		}
		if with != schema.Keep {
			all[c.Path()] = with
		}
	}
	return all
}

// validatePrivacy reports columns without which a configured filter cannot be compared with
// what is stored, and statistics of repositories that nothing would name.
func (d *decoder) validatePrivacy(p *Privacy, streams Streams) {
	at := d.written[&p.Columns].Position
	lost := func(table, column string) bool {
		with := p.Treatments()[table+"."+column]
		return with == schema.Drop || with == schema.Mask
	}
	auto := false
	for _, stats := range streams.Series {
		for _, scope := range stats.Scopes {
			auto = auto || slices.Contains(scope.IDs, "auto")
		}
	}
	for name, stream := range streams.Lists {
		if d.sections["streams."+name].node == nil && d.file.node != nil {
			continue // it is not synced
		}
		table := schema.StreamByName(name).Table.Name
		f := stream.Filter
		for column, used := range map[string]bool{
			"policy_id": f.PolicyID != "" || len(stream.Policies) > 0, "repo_id": f.RepoID != "" || auto,
			"llm_model": len(f.LLMModel) > 0, "host": len(f.Host) > 0,
		} {
			if used && lost(table, column) {
				path := join("privacy.columns", table+"."+column)
				if s, named := d.sections[path]; named {
					at = s.Position
				}
				d.report(at, path, "is needed by a filter, by policies or by statistics with ids: [auto], write keep or hash")
			}
		}
	}
}
