package compare

// elementLists are the buffers in which elements are matched: one for each
// array that is open, since arrays hold arrays.
type elementLists struct {
	all  []*elementList
	open int
}

func (s *elementLists) push() *elementList {
	if s.open == len(s.all) {
		s.all = append(s.all, new(elementList))
	}
	s.open++
	return s.all[s.open-1]
}

func (s *elementLists) pop() { s.open-- }

// release keeps what is worth keeping: a few of usual size.
func (s *elementLists) release() {
	s.open = 0
	if len(s.all) > 8 {
		clear(s.all[8:])
		s.all = s.all[:8]
	}
	for i, l := range s.all {
		if cap(l.a)+cap(l.b) > 1<<12 {
			s.all[i] = new(elementList)
		}
	}
}
