package config

import (
	"encoding/json"
	"reflect"
	"time"
)

// A schema is one JSON object of the JSON Schema.
type schema map[string]any

// JSONSchema is the file's JSON Schema, draft 2020-12, so that editors can
// complete and check it. Rules that join several keys are the decoder's alone.
func JSONSchema() []byte {
	root := fileOf(&Config{}).object()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "flashback-sync.yaml"
	root["description"] = "The configuration of flashback-sync."
	root["type"] = "object"
	root["required"] = []string{"streams"}
	root["properties"].(schema)["streams"].(schema)["minProperties"] = 1
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it holds texts, numbers and maps of them
	}
	return append(text, '\n')
}

// object describes a section. It may be left empty, as the decoder allows.
func (f field) object() schema {
	properties := schema{}
	for _, child := range f.fields() {
		s := child.object
		if !child.isSection() {
			s = child.shape
		}
		described := s()
		described["description"] = child.tag.Get("doc")
		properties[child.name()] = described
	}
	return schema{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

// shape describes what a key may hold, by the type of its Go field.
func (f field) shape() (s schema) {
	switch f.value.Addr().Interface().(type) {
	case *[]string:
		return schema{"type": "array", "uniqueItems": true, "items": f.item(), "default": []string{}}
	case *[]Scope:
		items := field{value: reflect.ValueOf(&Scope{}).Elem()}.object()
		items["type"], items["required"] = "object", []string{"scope"}
		s = schema{"type": "array", "minItems": 1, "items": items}
	case *string:
		s = f.text()
	case *int:
		s = schema{"type": "integer", "minimum": f.bound("min"), "maximum": f.bound("max")}
	case *float64:
		s = schema{"type": "number", "minimum": f.bound("min")}
	case *bool, **bool:
		s = schema{"type": "boolean"}
	case *time.Duration:
		s = schema{"type": "string", "pattern": durationPattern}
	case *time.Time:
		s = schema{"type": "string", "pattern": timePattern}
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

func (f field) text() schema {
	s := schema{"type": "string"}
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

func (f field) item() schema {
	s := f.text()
	if f.values() == nil {
		s["pattern"] = "^[^,]+$"
	}
	return s
}
