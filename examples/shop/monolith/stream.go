package monolith

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// orderEvents streams what an order will go through, one status at a time,
// and ends with the last. Last-Event-ID resumes.
func (a *App) orderEvents(w http.ResponseWriter, r *http.Request) {
	order, err := a.order(r)
	var every time.Duration
	if err == nil {
		every, err = shop.Pace(r, time.Second)
	}
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	statuses := order.Status.Ahead()
	last, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	for i := max(last, 0); i < len(statuses); i++ {
		event := fmt.Sprintf("id: %d\nevent: status\ndata: {\"order\":%q,\"status\":%q}\n\n", i+1, order.ID, statuses[i])
		if !push(w, r, event, every) {
			return
		}
	}
}

// push sends a piece of a stream at once, and waits. It reports whether the
// client is still there.
func push(w http.ResponseWriter, r *http.Request, piece string, pause time.Duration) bool {
	if _, err := w.Write([]byte(piece)); err != nil {
		return false
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return false
	}
	select {
	case <-r.Context().Done():
		return false
	case <-time.After(pause):
		return true
	}
}

func (a *App) invoice(w http.ResponseWriter, r *http.Request) {
	order, err := a.order(r)
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="invoice-%s.txt"`, order.ID))
	h.Set("ETag", order.ETag())
	http.ServeContent(w, r, "", order.Updated, strings.NewReader(order.Invoice()))
}

// salesReport takes its time, as reports do: one line per product, and nobody
// has ever made it faster. Ask for every=1ms to have it sooner.
func (a *App) salesReport(w http.ResponseWriter, r *http.Request) {
	every, err := shop.Pace(r, 100*time.Millisecond)
	if err != nil {
		a.problem(w, err)
		return
	}
	sold := a.store.Sold()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	if !push(w, r, "sku,name,sold\r\n", every) {
		return
	}
	for _, p := range a.store.Products("") {
		if !push(w, r, fmt.Sprintf("%s,%s,%d\r\n", p.SKU, p.Name, sold[p.SKU]), every) {
			return
		}
	}
}
