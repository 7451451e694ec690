package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// check holds a value against the part of JSON Schema that schemaOf uses, and
// returns why it does not pass. An unknown keyword is a failure, so that none
// is overlooked.
func check(root, s map[string]any, v any, at string) string {
	for keyword, arg := range s {
		if why := keywordFails(root, s, keyword, arg, v, at); why != "" {
			return why
		}
	}
	return ""
}

func keywordFails(root, s map[string]any, keyword string, arg, v any, at string) string {
	switch keyword {
	case "$schema", "$id", "$defs", "title", "description", "default":
	case "$ref":
		name := strings.TrimPrefix(arg.(string), "#/$defs/")
		def, ok := root["$defs"].(map[string]any)[name].(map[string]any)
		if !ok {
			return "no definition " + name
		}
		return check(root, def, v, at)
	case "type":
		if got := typeOf(v); got != arg && !(arg == "number" && got == "integer") {
			return fmt.Sprintf("%s: %s is not %s", at, got, arg)
		}
	case "pattern":
		if text, ok := v.(string); ok && !regexp.MustCompile(arg.(string)).MatchString(text) {
			return fmt.Sprintf("%s: %q does not match %s", at, text, arg)
		}
	case "minimum":
		if n, ok := v.(float64); ok && n < arg.(float64) {
			return fmt.Sprintf("%s: %v is below %v", at, n, arg)
		}
	case "enum":
		if !slices.Contains(arg.([]any), v) {
			return fmt.Sprintf("%s: %v is none of %v", at, v, arg)
		}
	case "anyOf":
		var all []string
		for _, choice := range arg.([]any) {
			why := check(root, choice.(map[string]any), v, at)
			if why == "" {
				return ""
			}
			all = append(all, why)
		}
		return strings.Join(all, ", and ")
	case "items":
		list, _ := v.([]any)
		for i, item := range list {
			if why := check(root, arg.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i)); why != "" {
				return why
			}
		}
	case "required":
		m, _ := v.(map[string]any)
		for _, key := range arg.([]any) {
			if _, ok := m[key.(string)]; m != nil && !ok {
				return fmt.Sprintf("%s: no %s", at, key)
			}
		}
	case "properties", "patternProperties", "additionalProperties":
		m, _ := v.(map[string]any)
		for key, value := range m {
			if why := propertyFails(root, s, key, value, at+"."+key); why != "" {
				return why
			}
		}
	default:
		return "unknown keyword " + keyword
	}
	return ""
}

func propertyFails(root, s map[string]any, key string, v any, at string) string {
	if props, _ := s["properties"].(map[string]any); props[key] != nil {
		return check(root, props[key].(map[string]any), v, at)
	}
	patterns, _ := s["patternProperties"].(map[string]any)
	for pattern := range patterns {
		if regexp.MustCompile(pattern).MatchString(key) {
			return ""
		}
	}
	switch more := s["additionalProperties"].(type) {
	case bool:
		if !more {
			return at + ": no such key"
		}
	case map[string]any:
		return check(root, more, v, at)
	}
	return ""
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
	}
	return "number"
}
