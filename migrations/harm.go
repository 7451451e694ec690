package migrations

import "fmt"

// harm says that as many user requests failed on the service as the plan allows;
// empty if not. It is an absolute rule, outside α. Without a number in the plan
// the guard tests the metric [evidence.Harm] instead.
func (v view) harm() string {
	if v.course.Split.Modern() == 0 {
		return ""
	}
	if limit := v.plan.Guard.Harm; limit > 0 {
		harmed := v.cell.Harm
		if v.several() && v.cell.HarmBy.Sum() > 0 { // one client network alone makes no rollback (law 13)
			harmed = v.cell.HarmBy.WithoutLargest()
		}
		if harmed < uint64(limit) {
			return ""
		}
		return fmt.Sprintf("%s at %s in this step, and the plan allows %d", requestsFailed(v.cell.Harm), v.plan.To, limit)
	}
	return ""
}
