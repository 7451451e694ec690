package evidence

import "testing"

func TestClassOf(t *testing.T) {
	for want, statuses := range map[Class][]int{
		ClassOK:       {100, 101, 103, 200, 201, 204, 206, 226, 300, 304, 305, 306},
		ClassRedirect: {301, 302, 303, 307, 308},
		ClassDenied:   {401, 403, 407},
		ClassMissing:  {404, 410},
		ClassRejected: {400, 402, 405, 406, 408, 409, 411, 418, 422, 429, 451, 499},
		ClassFailed:   {500, 501, 502, 503, 504, 599, 600, 999},
		ClassBroken:   {0, -1, 99},
	} {
		for _, status := range statuses {
			if got := ClassOf(status); got != want {
				t.Errorf("%d is %v, want %v", status, got, want)
			}
		}
	}
}

func TestClassOfGRPC(t *testing.T) {
	for code, want := range [...]Class{
		ClassOK, ClassOK, ClassFailed, ClassGRPC, ClassTimeout, ClassGRPC, ClassGRPC, ClassGRPC, ClassGRPC,
		ClassGRPC, ClassGRPC, ClassGRPC, ClassFailed, ClassFailed, ClassFailed, ClassFailed, ClassGRPC, ClassGRPC,
	} {
		got, says := ClassOfGRPC(code)
		if got != want || says != (code != cancelled) {
			t.Errorf("%d is %v (%v), want %v", code, got, says, want)
		}
	}
}

func TestClassNames(t *testing.T) {
	seen := make(map[string]bool)
	for c := range classes + 1 {
		if name := c.String(); name == "" || seen[name] {
			t.Errorf("class %d is called %q", c, name)
		} else {
			seen[name] = true
		}
	}
	for c := range classes {
		if want := c == ClassFailed || c == ClassBroken || c == ClassTimeout; c.Failure() != want {
			t.Errorf("%v: failure %v", c, c.Failure())
		}
	}
}
