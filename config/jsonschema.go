package config

import (
	"encoding/json"
	"time"
)

// An object is one JSON object of the JSON Schema.
type object map[string]any

// JSONSchema is the file's JSON Schema, draft 2020-12, so that editors can
// complete and check it. Rules that join several keys are the decoder's alone.
func JSONSchema() []byte {
	root := fileOf(&Config{}).section()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "flashback-sync.yaml"
	root["description"] = "The configuration of flashback-sync."
	root["type"] = "object"
	root["required"] = []string{"streams"}
	root["properties"].(object)["streams"].(object)["minProperties"] = 1
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it holds texts, numbers and maps of them
	}
	return append(text, '\n')
}

// object describes a section. It may be left empty, as the decoder allows.
func (f field) section() object {
	properties := object{}
	for _, child := range f.fields() {
		s := child.section
		if !child.isSection() {
			s = child.shape
		}
		described := s()
		described["description"] = child.doc()
		properties[child.name()] = described
	}
	return object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

// shape describes what a key may hold, by the type of its Go field.
func (f field) shape() (s object) {
	switch f.value.Addr().Interface().(type) {
	case *[]string:
		return object{"type": "array", "uniqueItems": true, "items": f.item(), "default": []string{}}
	case *[]Scope, *[]View:
		items := f.entry().section()
		items["type"], items["required"] = "object", []string{f.entry().names()[0]}
		s = object{"type": "array", "items": items, "default": []any{}}
		if f.tag.Get("min") != "" {
			s["minItems"] = 1
		}
	case *map[string]string:
		return columnsShape()
	case *string:
		s = f.text()
	case *int:
		s = object{"type": "integer", "minimum": f.bound("min"), "maximum": f.bound("max")}
	case *float64:
		s = object{"type": "number", "minimum": f.bound("min")}
	case *bool, **bool:
		s = object{"type": "boolean"}
	case *time.Duration:
		s = object{"type": "string", "pattern": durationPattern}
		if word := f.tag.Get("days"); word != "" {
			s["pattern"] = daysPattern + "|^" + word + "$"
		}
	case *time.Time:
		s = object{"type": "string", "pattern": timePattern}
	}
	if preset := f.presetNode(); preset != nil {
		var value any
		if err := preset.Decode(&value); err != nil {
			panic(err) // a test makes the schema
		}
		s["default"] = value
	}
	return s
}

func (f field) text() object {
	s := object{"type": "string"}
	switch values := f.values(); {
	case values != nil:
		s["enum"] = values
	case f.tag.Get("empty") != "ok":
		s["minLength"] = 1
	case f.preset == "":
		s["default"] = ""
	}
	return s
}

func (f field) item() object {
	s := f.text()
	if f.values() == nil && f.tag.Get("commas") != "ok" {
		s["pattern"] = "^[^,]+$"
	}
	return s
}
