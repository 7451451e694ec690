package routes

import "github.com/ficus-gateway/ficus/migrations"

// cells compiles the cells of a migration.
func cells(at spot, list []CellConfig) []migrations.Cell {
	var out []migrations.Cell
	names := map[string]bool{}
	for i, cc := range list {
		item := at.index(i)
		switch {
		case cc.Name == "":
			item.follow("write {name: eu, when: {header: X-Region, is: eu}}", "has no name")
		case cc.Name == migrations.Rest:
			item.key("name").fail("give it another name", "%s is the cell of all requests that no other takes, and always the last", cc.Name)
		case names[cc.Name]:
			item.key("name").fail("give each cell a name of its own", "there is a cell %s already", item.key("name").quote(cc.Name))
		case !nameForm.MatchString(cc.Name):
			item.key("name").fail(nameHint, "%s cannot be the name of a cell", item.key("name").quote(cc.Name))
		}
		names[cc.Name] = true
		if len(cc.When) == 0 {
			item.follow(conditionHint, "does not say when")
		}
		cell := migrations.Cell{Name: cc.Name}
		for j, w := range cc.When {
			cell.When = append(cell.When, condition(item.key("when").index(j), w))
		}
		out = append(out, cell)
	}
	return out
}
