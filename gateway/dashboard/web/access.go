package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// An accessPage says who somebody is, and to admins who else comes in.
type accessPage struct {
	Viewer viewer
	Admin  bool
	Tokens []tokenView
	Audit  []auditView
	Roles  []access.Role
	Made   *dashboard.NewToken // shown once
	Form   url.Values
}

// A tokenView is a token of the list.
type tokenView struct {
	dashboard.TokenInfo
	Ends, Last string
}

// An auditView is a line of the audit.
type auditView struct {
	dashboard.AuditEntry
	Ago string
}

func (s *site) getAccess(w http.ResponseWriter, r *http.Request) {
	s.showAccess(w, r, http.StatusOK, nil, nil, nil)
}

func (s *site) showAccess(w http.ResponseWriter, r *http.Request, status int, n *notice, made *dashboard.NewToken, form url.Values) {
	v := viewerOf(r)
	main := accessPage{Viewer: v, Admin: v.Known() && v.Role == access.Admin, Roles: access.Roles, Made: made, Form: form}
	if main.Admin {
		now := s.Now()
		tokens, p := get[dashboard.Tokens](s, r, "/api/tokens", nil)
		if p != nil {
			s.fail(w, r, p)
			return
		}
		for _, t := range tokens.Tokens {
			view := tokenView{TokenInfo: t, Ends: "never", Last: "never"}
			if t.Expires != nil {
				view.Ends = "in " + span(t.Expires.Sub(now).Round(time.Minute))
				if t.Expired {
					view.Ends = "over since " + ago(now, *t.Expires)
				}
			}
			if t.Used != nil {
				view.Last = ago(now, *t.Used)
			}
			main.Tokens = append(main.Tokens, view)
		}
		audit, p := get[dashboard.Audit](s, r, "/api/audit", url.Values{"limit": {"30"}})
		if p != nil {
			s.fail(w, r, p)
			return
		}
		for _, e := range audit.Entries {
			main.Audit = append(main.Audit, auditView{e, ago(now, e.Time)})
		}
	}
	s.show(w, r, status, page{Name: "access", Title: "Access", Live: "page=frame", Notice: n, Main: main})
}

// postToken makes a token, by the API, and shows it this once.
func (s *site) postToken(w http.ResponseWriter, r *http.Request) {
	form, ok := s.posted(w, r)
	if !ok {
		return
	}
	order := dashboard.TokenRequest{Name: form.Get("name"), Role: access.Role(form.Get("role")), For: form.Get("for")}
	for group := range strings.FieldsFuncSeq(form.Get("groups"), func(c rune) bool { return c == ',' || c == ' ' || c == '\n' }) {
		order.Groups = append(order.Groups, strings.TrimSpace(group))
	}
	made, p := post[dashboard.NewToken](s, r, "/api/tokens", order)
	if p != nil {
		n := refusal(p, s.Now())
		n.Title = "No token was made"
		s.showAccess(w, r, p.Status, n, nil, form)
		return
	}
	s.showAccess(w, r, http.StatusOK, nil, &made, nil)
}

// postRevoke revokes a token, by the API.
func (s *site) postRevoke(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.posted(w, r); !ok {
		return
	}
	_, p := ask[map[string]any](s, r, http.MethodDelete, "/api/tokens/"+escape(param(r, "id")), nil, nil)
	if p != nil {
		s.showAccess(w, r, p.Status, refusal(p, s.Now()), nil, nil)
		return
	}
	http.Redirect(w, r, "/access", http.StatusSeeOther)
}
