// Command ficus is a strangler-fig migration gateway: a reverse proxy that
// takes a monolith apart while its users notice nothing. See "ficus --help".
package main

import "github.com/ficus-gateway/ficus/gateway/app"

func main() { app.Main() }
