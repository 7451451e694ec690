// Package shadow asks the other side of a migration the same question as the
// one that answered a user, off the user's path, and has the two answers
// compared.
//
//	o := watch.Begin(shadow.Input{...})     // nil: this request is not observed
//	body = o.Body(body)                     // copies the request's body as it is read
//	o.Answered(status, header, length)      // the control's answer begins
//	o.Write(p)                              // and goes on
//	o.End(nil)                              // from here on it costs the user nothing
//
// The shadow never touches the user (law 7): what the user's path does is
// copy bytes into memory, within a budget, and put the observation into a
// queue without waiting. When there is no room, the observation is dropped and
// counted. Whatever is counted adds up (law 8).
package shadow
