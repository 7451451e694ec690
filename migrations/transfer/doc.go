// Package transfer moves an event log from one place to another, line by
// line, so that numbers, times and the chain of hashes stay what they were.
//
//	summary, err := transfer.Export(ctx, log, os.Stdout)     // what a file log would contain
//	summary, err := transfer.Verify(os.Stdin)                // every hash, every event, every append
//	summary, err := transfer.Import(ctx, os.Stdin, log)      // into a log that takes lines
//	summary, err := transfer.ImportFile(os.Stdin, "ficus.events")
//
// What travels is the file format of package migrations: a file log can be
// copied as it is, and an export can be opened as a file log.
package transfer
