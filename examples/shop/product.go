package shop

// A Product is something that the shop sells.
type Product struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Price    Money  `json:"price"`
	Text     string `json:"text"`
}

// Products returns the catalogue, or one category of it, in a fixed order.
func (s *Store) Products(category string) []Product {
	var found []Product
	s.view(func(d *data) {
		for _, p := range d.Products {
			if category == "" || p.Category == category {
				found = append(found, p)
			}
		}
	})
	return found
}

// Product returns one product, or a not-found [Error].
func (s *Store) Product(sku string) (p Product, err error) {
	s.view(func(d *data) { p, err = d.product(sku) })
	return p, err
}

func (d *data) product(sku string) (Product, error) {
	for _, p := range d.Products {
		if p.SKU == sku {
			return p, nil
		}
	}
	return Product{}, errorf(404, "no product %q", sku)
}
