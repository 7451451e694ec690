// Package legacy is the anti-corruption layer: what makes a monolith live well
// behind a gateway.
//
// An application that was asked for http://10.0.0.5:3001/v2/cart while its
// client asked for https://shop.example.com/shop/cart answers with redirects
// and cookies that make sense only on its own side. A [View] knows both sides
// and translates the answer's header:
//
//	v := legacy.View{
//		ClientScheme: "https", ClientHost: "shop.example.com",
//		UpstreamScheme: "http", UpstreamHost: "10.0.0.5:3001",
//		Strip: "/shop", Add: "/v2",
//	}
//	v.Response(res.Header)
//	// Location: http://10.0.0.5:3001/v2/login?a=b
//	//        → https://shop.example.com/shop/login?a=b
//	// Set-Cookie: sid=1; Domain=10.0.0.5; Path=/v2; HttpOnly
//	//        → sid=1; Domain=shop.example.com; Path=/shop; HttpOnly
//
// # What is translated
//
// Location, Content-Location and the URL of Refresh, and the Domain and Path
// of Set-Cookie; every line of each, if there are several. Only the host or
// the prefix is replaced; every other byte of a line stays as it was.
//
//   - The scheme and the authority of a URL that names the upstream by the host
//     it was asked as. Case, a default port and a dot at the end make no
//     difference, nor the two spellings of an IPv6 address or of an
//     international name. A URL under the other scheme keeps that scheme,
//     unless it is the client's own: a redirect from http to https is meant.
//   - The prefix of a path, on a segment boundary: the inverse of what the route
//     did on the way in.
//
// # What is left alone
//
//   - Everything, if the upstream was asked for the same host and the same path
//     as the gateway. A monolith whose Host is preserved and whose paths are not
//     rewritten answers as it would without a gateway, wrong ports, names of
//     internal machines and all.
//   - URLs of other hosts, and of the client's own host where the upstream was
//     asked as another one: an application that names it knows the outside.
//     (So do not tell an application X-Forwarded-Prefix and translate too.)
//   - Paths outside the added prefix, also those that climb out of it by dots:
//     nothing that the client could ask for leads there. The line stays whole,
//     host included.
//   - Relative references, which mean the same on both sides below the prefix.
//     They do not where the client asked for the stripped prefix itself, without
//     a slash at its end; redirect that one path rather than route it.
//   - Cookies named __Host-…, which must keep Path=/ and have no Domain; this is
//     also how an application shares a cookie beyond its prefix.
//   - What is malformed, since clients differ in how they read it.
//   - Routes that rewrite paths by a regular expression: many paths may have led
//     to one, so there is no inverse. Leave Strip and Add empty: hosts are still
//     translated; the application must write paths as the client sees them.
package legacy
