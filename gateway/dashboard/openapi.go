package dashboard

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

//go:embed openapi.json
var openAPI []byte

func (a *api) getOpenAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI) // the client may be gone
}

func (a *api) getIndex(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(a.index) // the client may be gone
}

// indexPage lists what the OpenAPI document describes, one endpoint per line.
func indexPage(version string) ([]byte, error) {
	var doc struct {
		Paths map[string]map[string]struct {
			Summary string `json:"summary"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		return nil, fmt.Errorf("dashboard: openapi.json: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ficus %s, admin\n\n", version)
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			fmt.Fprintf(&b, "%-7s%-36s%s\n", strings.ToUpper(method), path, doc.Paths[path][method].Summary)
		}
	}
	b.WriteString("\nChanges and /debug/ need a token: Authorization: Bearer and what the file ficus.token holds, or one that an admin has issued.\n")
	return []byte(b.String()), nil
}
