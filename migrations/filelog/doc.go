// Package filelog keeps the event log of one gateway in a local file.
//
//	log, err := filelog.Open("ficus.events", filelog.Options{})
//	if err != nil {
//		return err // says what is wrong with the file, and what can be done
//	}
//	defer log.Close()
//
// The file holds one event per line, as the documentation of package
// migrations specifies; `tail -f` and jq can read it. Beside it lie
//
//	ficus.events.lock        held by the process that writes; has its process id
//	ficus.events.checkpoint  the state as of about a second ago at most
//	ficus.events.torn        what a crash left of lines that were never acknowledged
//
// An Append returns once its lines are on disk; Appends that run at the same
// time share one fsync. What a crash left half written was never
// acknowledged: it is moved into the .torn file, loudly, when the log is next
// opened. Anything else that is wrong with the file refuses to open, for the
// state decides where traffic goes and must not be guessed.
//
// The checkpoint is there for the day on which the log is lost. If the file
// is missing, a new one begins with the state of the checkpoint; if it ends
// before the checkpoint, it was cut short, and refuses to open.
package filelog
