package routes

// A SessionConfig says how long a browser stays signed in on the admin listener.
type SessionConfig struct {
	// Idle ends a session that nobody has used for so long.
	Idle *Duration `yaml:"idle" default:"4h"`
	// Lifetime ends every session, and so bounds how long groups are believed that somebody has left.
	Lifetime *Duration `yaml:"lifetime" default:"12h"`
}

// An OIDCConfig lets people sign in with an identity provider that speaks
// OpenID Connect.
type OIDCConfig struct {
	// Issuer is the URL of the identity provider, exactly as its discovery document has it.
	Issuer string `yaml:"issuer"`
	// ClientID is the gateway's id with the provider, which must know admin.url/login/callback as its redirect URL.
	ClientID string `yaml:"client_id"`
	// ClientSecretEnv names the environment variable that has the gateway's secret with the provider; without one it is a public client.
	ClientSecretEnv string `yaml:"client_secret_env"`
	// ClientSecretFile is the file that has it, instead.
	ClientSecretFile string `yaml:"client_secret_file"`
	// Scopes are asked for; openid always is.
	Scopes OneOrMany[string] `yaml:"scopes" default:"openid, profile, email"`
	// GroupsClaim is the claim that lists the groups of a person. Where the ID token lacks it, userinfo is asked.
	GroupsClaim string `yaml:"groups_claim" default:"groups"`
	// NameClaim is the claim that names a person in the history. Where it is missing, or is an email that is not verified, it is sub.
	NameClaim string `yaml:"name_claim" default:"email"`
	// Roles say which groups may do what; * is everybody whom the provider knows.
	Roles RolesConfig `yaml:"roles"`
}

// A RolesConfig gives roles to groups. Whoever is in groups of several roles
// has the greatest.
type RolesConfig struct {
	// Admin changes every migration, and says who else comes in.
	Admin OneOrMany[string] `yaml:"admin"`
	// Operator changes the migrations whose owner is one of their groups, and those without an owner.
	Operator OneOrMany[string] `yaml:"operator"`
	// Viewer reads, and rolls back.
	Viewer OneOrMany[string] `yaml:"viewer"`
}
