package orders

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// events streams what an order will go through, one status at a time, and
// ends with the last. Last-Event-ID resumes.
func (s *Service) events(w http.ResponseWriter, r *http.Request) {
	order, err := s.order(r)
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	every, err := shop.Pace(r, usualPace)
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	last, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	for i, status := range order.Status.Ahead() {
		if i+1 <= last {
			continue
		}
		fmt.Fprintf(w, "id: %d\nevent: status\ndata: {\"order\":%q,\"status\":%q}\n\n", i+1, order.ID, status)
		if flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(every):
		}
	}
}

// invoice is a download, in parts if so asked.
func (s *Service) invoice(w http.ResponseWriter, r *http.Request) {
	order, err := s.order(r)
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	private(w, "no-cache")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="invoice-%s.txt"`, order.ID))
	w.Header().Set("ETag", order.ETag())
	http.ServeContent(w, r, "", order.Updated, strings.NewReader(order.Invoice()))
}
