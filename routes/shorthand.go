package routes

import "go.yaml.in/yaml/v3"

// A shorthand is a type that may be written shorter. Long returns the node in
// its long form, and n itself if it is that already. What long adds has no
// line, so that a message speaks of what was written.
type shorthand interface {
	long(n *yaml.Node) *yaml.Node
}

// OneOrMany is a list of which a single item may be written without brackets.
type OneOrMany[T any] []T

func (OneOrMany[T]) long(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.SequenceNode || isNull(n) {
		return n
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{n}}
}

func (ListenConfig) long(n *yaml.Node) *yaml.Node     { return textAs("address", unnumbered(n)) }
func (AdminConfig) long(n *yaml.Node) *yaml.Node      { return textAs("address", unnumbered(n)) }
func (StateConfig) long(n *yaml.Node) *yaml.Node      { return textAs("url", n) }
func (FlagsConfig) long(n *yaml.Node) *yaml.Node      { return textAs("source", n) }
func (OFREPConfig) long(n *yaml.Node) *yaml.Node      { return textAs("listen", unnumbered(n)) }
func (TelemetryConfig) long(n *yaml.Node) *yaml.Node  { return textAs("otlp", n) }
func (IncludeConfig) long(n *yaml.Node) *yaml.Node    { return textAs("files", n) }
func (EndpointConfig) long(n *yaml.Node) *yaml.Node   { return textAs("url", unnumbered(n)) }
func (HealthConfig) long(n *yaml.Node) *yaml.Node     { return textAs("path", n) }
func (DataConfig) long(n *yaml.Node) *yaml.Node       { return textAs("kind", n) }
func (MismatchesConfig) long(n *yaml.Node) *yaml.Node { return offOr("at_most", n) }
func (LatencyConfig) long(n *yaml.Node) *yaml.Node    { return offOr("worse_by", n) }
func (QueryConfig) long(n *yaml.Node) *yaml.Node      { return textAs("both", n) }
func (HookConfig) long(n *yaml.Node) *yaml.Node       { return textAs("url", n) }
func (PredicateConfig) long(n *yaml.Node) *yaml.Node  { return textAs("is", n) }

func (UpstreamConfig) long(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return wrap("url", n)
	}
	return textAs("url", unnumbered(n))
}

// unnumbered takes a lone port for a text, so that the message is about the
// address and not about quotes.
func unnumbered(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!int" {
		text := *n
		text.Tag = "!!str"
		return &text
	}
	return n
}

// textAs makes a text the value of key.
func textAs(key string, n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return n
	}
	return wrap(key, n)
}

// offOr makes a text the value of key, but off that of the key off.
func offOr(key string, n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && (n.Value == "off" || n.Value == "false") {
		yes := *n
		yes.Tag, yes.Value, yes.Style = "!!bool", "true", 0
		return wrap("off", &yes)
	}
	return textAs(key, n)
}

func wrap(key string, n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, n,
	}}
}
