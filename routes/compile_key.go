package routes

import (
	"slices"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
	"golang.org/x/net/http/httpguts"
)

var (
	namedKeys  = []migrations.KeyKind{migrations.KeyHeader, migrations.KeyCookie, migrations.KeyQuery, migrations.KeyJWT}
	alwaysKeys = []migrations.KeyKind{migrations.KeyIP, migrations.KeyURL, migrations.KeyRequest, migrations.KeyAnonymous}
)

// keySources compiles a key list.
func keySources(at spot, list []string) []migrations.KeySource {
	var out []migrations.KeySource
	for i, text := range list {
		item := at.index(i)
		kind, name, named := strings.Cut(text, ":")
		k := migrations.KeySource{Kind: migrations.KeyKind(kind), Name: name}
		switch {
		case slices.Contains(namedKeys, k.Kind):
			if !named || name == "" {
				item.fail("write "+kind+":NAME", "%s does not say which %s", item.quote(text), kind)
				continue
			}
			if (k.Kind == migrations.KeyHeader || k.Kind == migrations.KeyCookie) && !httpguts.ValidHeaderFieldName(name) {
				item.fail("a name has letters, digits and dashes", "%s is not the name of a %s", item.quote(text), kind)
				continue
			}
		case slices.Contains(alwaysKeys, k.Kind):
			if named {
				item.fail("write "+kind, "%s takes no name", kind)
				continue
			}
			if i < len(list)-1 {
				item.fail("put "+kind+" last", "%s is always there, so what follows is never looked at", kind)
			}
		default:
			known := []string{}
			for _, k := range slices.Concat(namedKeys, alwaysKeys) {
				known = append(known, string(k))
			}
			item.fail(suggest(kind, known, ""), "no source of keys %s", item.quote(text))
			continue
		}
		if slices.Contains(out, k) {
			item.fail("name it once", "%s is given twice", item.quote(text))
			continue
		}
		out = append(out, k)
	}
	return out
}
