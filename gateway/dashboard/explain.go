package dashboard

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/ficus-gateway/ficus/migrations"
)

// An ExplainRequest is a request that is thought of, not sent.
type ExplainRequest struct {
	Method string      `json:"method,omitempty"` // absent: GET
	URL    string      `json:"url"`              // a path with its query, or a whole URL
	Header http.Header `json:"header,omitempty"`
}

// An Explanation says what would happen to a request, and why.
type Explanation struct {
	Method    string           `json:"method"`
	URL       string           `json:"url"`
	Route     *Route           `json:"route,omitempty"`  // absent: none matches
	Nearly    []NearMiss       `json:"nearly,omitempty"` // routes that match but for one thing, or come later
	Migration string           `json:"migration,omitempty"`
	Flag      string           `json:"flag,omitempty"`
	Stage     migrations.Stage `json:"stage,omitempty"`
	Variant   string           `json:"variant,omitempty"`
	Reason    string           `json:"reason,omitempty"` // OpenFeature's: SPLIT, TARGETING_MATCH, DEFAULT, ...
	Key       string           `json:"key,omitempty"`    // where the targeting key comes from: "cookie:uid"; absent: keyless
	Bucket    *int             `json:"bucket,omitempty"` // 0 to 99,999
	Cohort    string           `json:"cohort,omitempty"`
	Source    string           `json:"source,omitempty"` // the outside flag provider that decided; absent: the log
	Said      migrations.Stage `json:"said,omitempty"`   // what it answered, before that was held to what the log allows
	Tripped   bool             `json:"tripped,omitempty"`
	Side      migrations.Side  `json:"side,omitempty"`
	Upstream  string           `json:"upstream,omitempty"` // that answers
	Target    string           `json:"target,omitempty"`   // the request target that it would see
	Else      string           `json:"else,omitempty"`     // upstream asked when the first answers 404
	Why       []string         `json:"why,omitempty"`      // the same in sentences, in the order of the decision
}

// A NearMiss is a route that did not take the request.
type NearMiss struct {
	Route string `json:"route"` // id
	At    string `json:"at,omitempty"`
	Why   string `json:"why"`
}

func (a *api) getExplain(w http.ResponseWriter, r *http.Request) {
	values, p := query(r, "method", "url", "header")
	if p != nil {
		fail(w, r, p)
		return
	}
	asked := ExplainRequest{Method: values.Get("method"), URL: values.Get("url"), Header: http.Header{}}
	for _, line := range values["header"] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			fail(w, r, problem(BadRequest, http.StatusBadRequest, "header=%s: write it as Name: value", line))
			return
		}
		asked.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	a.explain(w, r, asked)
}

func (a *api) postExplain(w http.ResponseWriter, r *http.Request) {
	var asked ExplainRequest
	if p := decode(w, r, &asked); p != nil {
		fail(w, r, p)
		return
	}
	a.explain(w, r, asked)
}

func (a *api) explain(w http.ResponseWriter, r *http.Request, asked ExplainRequest) {
	if a.Explain == nil {
		fail(w, r, problem(NotFound, http.StatusNotFound, "this gateway can't explain requests"))
		return
	}
	if asked.Method == "" {
		asked.Method = http.MethodGet
	}
	if p := checkAsked(asked); p != nil {
		fail(w, r, p)
		return
	}
	out, err := a.Explain(r.Context(), asked)
	if err != nil {
		fail(w, r, problem(BadRequest, http.StatusUnprocessableEntity, "%s %s can't be explained: %v", asked.Method, asked.URL, err))
		return
	}
	answer(w, http.StatusOK, out)
}

func checkAsked(asked ExplainRequest) *Problem {
	if !httpguts.ValidHeaderFieldName(asked.Method) { // a method is a token too
		return problem(BadRequest, http.StatusBadRequest, "method: %q is not a method", asked.Method)
	}
	if asked.URL == "" {
		return problem(BadRequest, http.StatusBadRequest, "url: say which request, as in url=/api/orders/7")
	}
	if _, err := url.ParseRequestURI(asked.URL); err != nil && asked.URL != "*" {
		return problem(BadRequest, http.StatusBadRequest, "url: %q is neither a path that begins with / nor a whole URL", asked.URL)
	}
	for name, values := range asked.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return problem(BadRequest, http.StatusBadRequest, "header: %q is not a name of a header", name)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return problem(BadRequest, http.StatusBadRequest, "header: the value %q of %s can't be sent", v, name)
			}
		}
	}
	return nil
}
