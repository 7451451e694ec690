package app

import (
	"strings"
	"testing"
)

func TestHARKeepsWhatCanBeAskedAgain(t *testing.T) {
	const har = `{"log":{"version":"1.2","entries":[
		{"request":{"method":"get","url":"https://shop.example/a%2Fb?x=1#y","headers":[{"name":":authority","value":"shop"},{"name":"Host","value":"shop"},{"name":"Cookie","value":"uid=1"},{"name":"if-none-match","value":"\"x\""}]}},
		{"request":{"method":"POST","url":"http://shop.example/orders","headers":[],"postData":{"mimeType":"application/json","text":"{}"}}},
		{"request":{"method":"PUT","url":"http://shop.example/blob","headers":[],"postData":{"mimeType":"image/png","text":"AAE=","encoding":"base64"}}},
		{"request":{"method":"GET","url":"ws://shop.example/live","headers":[]}}]}}`
	got, err := parseHAR(strings.NewReader(har), "test.har")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("%d requests, want 3", len(got))
	}
	if r := got[0]; r.Method != "GET" || r.Target != "/a%2Fb?x=1" || len(r.Header) != 1 || r.Header.Get("Cookie") != "uid=1" {
		t.Errorf("the first request is %+v", r)
	}
	if r := got[1]; string(r.Body) != "{}" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the second request is %+v", r)
	}
	if r := got[2]; string(r.Body) != "\x00\x01" {
		t.Errorf("the body of the third is %q", r.Body)
	}
}

func TestHARErrorsNameTheFileAndTheRemedy(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":     {"<html>", "test.har is not a HAR file"},
		"empty":       {"{}", "holds no requests; export it"},
		"no method":   {`{"log":{"entries":[{"request":{"url":"http://x/"}}]}}`, "entry 0"},
		"broken body": {`{"log":{"entries":[{"request":{"method":"PUT","url":"http://x/","postData":{"text":"?","encoding":"base64"}}}]}}`, "entry 0: its body is not base64"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseHAR(strings.NewReader(c.text), "test.har"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
