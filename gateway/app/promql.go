package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A promql asks a Prometheus, or whatever else speaks its HTTP API.
type promql struct{ client *http.Client }

// What is read of an answer at most.
const (
	promqlAnswer = 1 << 20 // bytes
	promqlSeries = 1000
)

func newPromQL() promql {
	return promql{&http.Client{
		// The URL was written by whoever writes the config: no proxy, and it leads nowhere else.
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A series is a counter at a time.
type series struct {
	id     string // its labels
	labels map[string]string
	value  float64
}

// raw reports whether it is a counter as an application has it: what sum and
// the like make of several has no name.
func (s series) raw() bool { return s.labels["__name__"] != "" }

// An answer of the HTTP API, of which only what is used is read.
type promqlReply struct {
	Status string `json:"status"`
	Kind   string `json:"errorType"`
	Error  string `json:"error"`
	Data   struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	} `json:"data"`
}

// ask returns the value of a query at a time, by series.
func (q promql) ask(ctx context.Context, p *migrations.Prometheus, query string, at time.Time) ([]series, error) {
	form := url.Values{"query": {query}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.URL, "/")+"/api/v1/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the URL can't be asked")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "ficus")
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	res, err := q.client.Do(req)
	if err != nil {
		var asked *url.Error
		if errors.As(err, &asked) {
			err = asked.Err // the URL may hold a secret
		}
		return nil, fmt.Errorf("asking Prometheus: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, promqlAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of Prometheus: %w", err)
	}
	var reply promqlReply
	switch err := json.Unmarshal(text, &reply); {
	case len(text) > promqlAnswer:
		return nil, fmt.Errorf("the answer of Prometheus is larger than %d bytes; let the query pick fewer series", promqlAnswer)
	case err != nil && res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("prometheus answers %s", res.Status)
	case err != nil:
		return nil, fmt.Errorf("what answers there is no Prometheus: %w", err)
	case reply.Status != "success" && reply.Kind != "bad_data" && reply.Kind != "execution":
		return nil, fmt.Errorf("asking Prometheus: %.300s", cmp.Or(reply.Error, res.Status))
	case reply.Status != "success":
		return nil, fmt.Errorf("%w: Prometheus refuses it: %.300s", errQuery, reply.Error)
	}
	return parseSeries(reply.Data.Type, reply.Data.Result)
}

func parseSeries(kind string, result json.RawMessage) ([]series, error) {
	type point [2]any // time, and the value as a text
	var rows []struct {
		Metric map[string]string `json:"metric"`
		Value  point             `json:"value"`
	}
	switch kind {
	case "vector":
		if err := json.Unmarshal(result, &rows); err != nil {
			return nil, fmt.Errorf("the answer of Prometheus is not understood: %w", err)
		}
	case "scalar":
		var value point
		if err := json.Unmarshal(result, &value); err != nil {
			return nil, fmt.Errorf("the answer of Prometheus is not understood: %w", err)
		}
		rows = append(rows, struct {
			Metric map[string]string `json:"metric"`
			Value  point             `json:"value"`
		}{Value: value})
	default:
		return nil, fmt.Errorf("%w: it gives a %.20s, and not the value of a counter", errQuery, kind)
	}
	if len(rows) > promqlSeries {
		return nil, fmt.Errorf("%w: it gives %d series, more than %d; let it pick fewer, or sum them", errQuery, len(rows), promqlSeries)
	}
	out := make([]series, 0, len(rows))
	for _, row := range rows {
		text, _ := row.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(value) || value < 0 || value > 1<<53 {
			return nil, fmt.Errorf("%w: it gives %.20q, which is no value of a counter", errQuery, text)
		}
		id, err := json.Marshal(row.Metric) // sorted by name
		if err != nil {
			return nil, err
		}
		out = append(out, series{string(id), row.Metric, value})
	}
	return out, nil
}

// Errors of a metric whose numbers in an interval are not known.
var (
	errQuery    = errors.New("the query does not do")
	errNoSeries = errors.New("no series")
	errFell     = errors.New("a sum of counters fell, since one of them began again: how much was counted is not known")
)

// interval returns what was counted in a slot, by side. Both ends are asked for
// each time, so that every gateway gets the same, whatever it has missed.
func (q promql) interval(ctx context.Context, p *migrations.Prometheus, slot int64, every time.Duration) (evidence.Interval, error) {
	out := evidence.Interval{At: slot}
	from, to := evidence.SlotStart(slot, every), evidence.SlotStart(slot+1, every)
	var err error
	if out.Total, err = q.grown(ctx, p, p.Total, from, to, false); err != nil {
		return out, fmt.Errorf("total: %w", err)
	}
	if out.Bad, err = q.grown(ctx, p, p.Bad, from, to, true); err != nil {
		return out, fmt.Errorf("bad: %w", err)
	}
	return out, nil
}

// grown returns by how much the counters of a query have grown, by side. A
// counter of what has never happened yet may not exist, where none says so.
func (q promql) grown(ctx context.Context, p *migrations.Prometheus, query migrations.Query, from, to time.Time, none bool) (evidence.Sides, error) {
	var out evidence.Sides
	was, err := q.sides(ctx, p, query, from)
	if err != nil {
		return out, err
	}
	is, err := q.sides(ctx, p, query, to)
	if err != nil {
		return out, err
	}
	for side := range out {
		if !none && (len(was[side]) == 0 || len(is[side]) == 0) {
			return out, fmt.Errorf("%w of %s", errNoSeries, evidence.Side(side))
		}
		sum := 0.0
		for _, now := range is[side] {
			i := slices.IndexFunc(was[side], func(s series) bool { return s.id == now.id })
			switch {
			case i < 0: // it is new, and may have been counting for long elsewhere
			case now.value >= was[side][i].value:
				sum += now.value - was[side][i].value
			case now.raw():
				sum += now.value // it began again at 0
			default:
				return out, errFell
			}
		}
		out[side] = uint64(math.Round(sum))
	}
	return out, nil
}

// sides asks a query about both sides.
func (q promql) sides(ctx context.Context, p *migrations.Prometheus, query migrations.Query, at time.Time) (out [2][]series, err error) {
	if query.Both == "" {
		for side, text := range [...]string{query.Legacy, query.Modern} {
			if out[side], err = q.ask(ctx, p, text, at); err != nil {
				return out, err
			}
		}
		return out, nil
	}
	all, err := q.ask(ctx, p, query.Both, at)
	for _, s := range all {
		switch s.labels[p.Label] {
		case evidence.Legacy.String():
			out[evidence.Legacy] = append(out[evidence.Legacy], s)
		case evidence.Modern.String():
			out[evidence.Modern] = append(out[evidence.Modern], s)
		}
	}
	return out, err
}
