package shop

import (
	"fmt"
	"math/rand/v2"
	"time"
)

var (
	materials  = []string{"Oak", "Linen", "Copper", "Wool", "Cork", "Slate", "Glass", "Clay"}
	categories = []struct {
		name   string
		things []string
	}{
		{"kitchen", []string{"Bowl", "Board", "Mug", "Spoon"}},
		{"living", []string{"Lamp", "Throw", "Stool", "Frame"}},
		{"garden", []string{"Pot", "Trug", "Lantern", "Bench"}},
	}
	firstNames = []string{"Ada", "Ben", "Chloé", "Dmitri", "Emre", "Fatou", "Grace", "Håkon", "Inés", "Jun"}
	lastNames  = []string{"Abel", "Brandt", "Çelik", "Diaz", "Eriksen", "Fischer", "Garcia", "Huang"}

	// founded is when the seeded orders begin.
	founded = time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC)
)

// seeded returns a shop with a catalogue, customers, and what they have bought.
func seeded(o Options) *data {
	rng := rand.New(rand.NewPCG(o.Seed, 0x5409))
	d := new(data)
	d.index()
	for _, category := range categories {
		for _, thing := range category.things {
			for _, material := range materials {
				d.Products = append(d.Products, Product{
					SKU:      fmt.Sprintf("%c%c-%03d", material[0], thing[0], len(d.Products)+1),
					Name:     material + " " + thing,
					Category: category.name,
					Price:    Money(499 + rng.IntN(95)*100),
					Text:     fmt.Sprintf("A %s made of %s, good for %d years.", thing, material, 2+rng.IntN(40)),
				})
			}
		}
	}
	for n := 1; n <= o.Customers; n++ {
		salt := fmt.Appendf(nil, "%016x", rng.Uint64())
		d.Users = append(d.Users, User{
			ID:    fmt.Sprintf("u%d", n),
			Name:  firstNames[rng.IntN(len(firstNames))] + " " + lastNames[rng.IntN(len(lastNames))],
			Email: Email(n),
			Salt:  salt,
			Hash:  hashPassword(Password, salt),
		})
	}
	at := founded
	for range o.Customers * 4 {
		owner := Owner("user:" + d.Users[rng.IntN(len(d.Users))].ID)
		at = at.Add(time.Duration(rng.IntN(7200)) * time.Second)
		items, err := d.price(d.somethings(rng))
		if err != nil {
			panic(err) // it is all from the catalogue
		}
		d.add(owner, items, "", progress[rng.IntN(len(progress))], at)
	}
	return d
}

// somethings picks one to three different products.
func (d *data) somethings(rng *rand.Rand) []Line {
	var lines []Line
	for _, i := range rng.Perm(len(d.Products))[:1+rng.IntN(3)] {
		lines = append(lines, Line{d.Products[i].SKU, 1 + rng.IntN(4)})
	}
	return lines
}
