package dashboard

import "github.com/ficus-gateway/ficus/migrations/evidence"

// A TestEndpoint is what was counted of one endpoint in the present test of a
// cell, of users whom their bucket placed.
type TestEndpoint struct {
	Name     string `json:"name"` // method and path template
	Requests Sides  `json:"requests"`
	Failed   Sides  `json:"failed"`   // answers that are not OK, and those that never came
	Clean    uint64 `json:"clean"`    // requests on the service in which nothing was wrong
	Compared uint64 `json:"compared"` // comparisons
	Differed uint64 `json:"differed"` // comparisons in which the service differed or failed
}

// Sides is a number of each side.
type Sides struct {
	Legacy uint64 `json:"legacy"`
	Modern uint64 `json:"modern"`
}

func sidesOf(n [2]evidence.ByGroup) Sides {
	return Sides{Legacy: n[evidence.Legacy].Sum(), Modern: n[evidence.Modern].Sum()}
}

// mostTestEndpoints bounds the endpoints of a test that are listed.
const mostTestEndpoints = 10

// testEndpointsOf lists the endpoints of a test, the busiest first.
func testEndpointsOf(c *evidence.Cell) (list []TestEndpoint) {
	for _, name := range c.EndpointNames() {
		e := c.Endpoints[name]
		one := TestEndpoint{
			Name: plain(name, 1000), Requests: sidesOf(e.Requests), Failed: sidesOf(e.Failed),
			Clean: e.Clean.Sum(), Compared: e.Compared.Sum(), Differed: e.Differed.Sum(),
		}
		if one.Requests == (Sides{}) && one.Compared == 0 {
			continue // it is known from the test before
		}
		if list = append(list, one); len(list) == mostTestEndpoints {
			break
		}
	}
	return list
}
