package config

import (
	"encoding/json"
	"time"
)

// JSONSchema is the file's JSON Schema, draft 2020-12, so that editors can
// complete and check it. It is made from the same table as the decoder. Rules
// that join several keys are the decoder's alone.
func JSONSchema() []byte {
	sections := map[string]schema{"": {
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "flashback-sync.yaml",
		"description":          "The configuration of flashback-sync.",
		"type":                 "object",
		"additionalProperties": false,
		"required":             []string{"streams"},
		"properties":           schema{},
	}}
	table := keys()
	for path := range sectionsOf(table) {
		sections[path] = sectionSchema(path)
	}
	for path, section := range sections {
		if path != "" {
			sections[parent(path)]["properties"].(schema)[last(path)] = section
		}
	}
	sections["streams"]["minProperties"] = 1
	defaults := blank()
	for _, k := range table {
		_ = k.fill(defaults, nil) // a test proves that defaults are right
		sections[parent(k.path)]["properties"].(schema)[last(k.path)] = k.schema(defaults)
	}
	text, err := json.MarshalIndent(sections[""], "", "  ")
	if err != nil {
		panic(err) // it holds texts, numbers and maps of them
	}
	return append(text, '\n')
}

// A schema is one JSON object of the JSON Schema.
type schema map[string]any

// sectionSchema allows a section to be left empty, as the decoder does.
func sectionSchema(path string) schema {
	return schema{
		"description":          sectionDocs()[path],
		"type":                 []string{"object", "null"},
		"additionalProperties": false,
		"properties":           schema{},
	}
}

// schema is what the key's field may hold, with its description and default.
func (k key) schema(defaults *Config) schema {
	s := k.shape(defaults)
	s["description"] = k.doc
	return s
}

func (k key) shape(defaults *Config) schema {
	switch field := k.field(defaults).(type) {
	case *string:
		s := k.textSchema()
		s["default"] = *field
		return s
	case *[]string:
		return schema{"type": "array", "uniqueItems": true, "items": k.itemSchema(), "default": []string{}}
	case *int:
		return schema{"type": "integer", "minimum": k.min, "maximum": k.max, "default": *field}
	case *float64:
		return schema{"type": "number", "minimum": k.min, "default": *field}
	case *bool:
		return schema{"type": "boolean", "default": *field}
	case **bool:
		return schema{"type": "boolean"}
	case *time.Duration:
		return schema{"type": "string", "pattern": durationPattern, "default": k.def}
	case *time.Time:
		return schema{"type": "string", "pattern": timePattern, "default": k.def}
	case *[]Scope:
		return scopesSchema(*field)
	}
	panic("config: no schema for " + k.path) // the table's mistake; a test makes them all
}

func (k key) textSchema() schema {
	s := schema{"type": "string"}
	if len(k.values) > 0 {
		s["enum"] = k.values
	} else if !k.blank {
		s["minLength"] = 1
	}
	return s
}

func (k key) itemSchema() schema {
	s := k.textSchema()
	if len(k.values) == 0 {
		s["pattern"] = "^[^,]+$"
	}
	return s
}

func scopesSchema(preset []Scope) schema {
	var example []schema
	for _, s := range preset {
		one := schema{"scope": s.Scope}
		if len(s.IDs) > 0 {
			one["ids"] = s.IDs
		}
		example = append(example, one)
	}
	return schema{
		"type": "array", "minItems": 1, "default": example,
		"items": schema{
			"type": "object", "additionalProperties": false, "required": []string{"scope"},
			"properties": schema{
				"scope": schema{
					"type": "string", "enum": scopeKinds(),
					"description": "The level: org, workspace or repo.",
				},
				"ids": schema{
					"type": "array", "uniqueItems": true, "items": key{}.itemSchema(),
					"description": "Ids of workspaces or repos, or for repo [auto]; none for org.",
				},
			},
		},
	}
}
