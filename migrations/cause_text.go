package migrations

// Text writes the cause for people. Most are words that say it all.
func (c Cause) Text() string {
	switch c {
	case CauseControl:
		return "monolith fails"
	case CauseFinding:
		return "open finding"
	}
	return string(c)
}
