package idptest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
)

// RS256 signs an ID token with the key that the provider publishes.
func (p *Provider) RS256(claims map[string]any) string { return signed(p.key, claims) }

// AnotherKey signs an ID token with a key that the provider does not publish.
func (p *Provider) AnotherKey(claims map[string]any) string {
	return signed(newKey(), claims)
}

// Unsigned makes an ID token of the algorithm "none".
func (p *Provider) Unsigned(claims map[string]any) string {
	return part(map[string]any{"alg": "none"}) + "." + part(claims) + "."
}

// PublicKeyAsSecret makes an ID token that is signed by HMAC with the public
// key, which those believe who let the token choose the algorithm.
func (p *Provider) PublicKeyAsSecret(claims map[string]any) string {
	text := part(map[string]any{"alg": "HS256", "kid": "one"}) + "." + part(claims)
	mac := hmac.New(sha256.New, x509.MarshalPKCS1PublicKey(&p.key.PublicKey))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func signed(key *rsa.PrivateKey, claims map[string]any) string {
	text := part(map[string]any{"alg": "RS256", "kid": "one", "typ": "JWT"}) + "." + part(claims)
	digest := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func part(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
