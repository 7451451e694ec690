package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// comments are the doc comments of types ("Config") and fields
// ("Config.Listen"), each as one line per paragraph.
type comments map[string]string

func readComments(dir string) (comments, error) {
	docs := comments{}
	files, err := filepath.Glob(filepath.Join(dir, "config*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range decl.Specs {
				if spec, ok := s.(*ast.TypeSpec); ok {
					docs.add(spec, decl.Doc)
				}
			}
		}
	}
	if len(docs) == 0 {
		return nil, fmt.Errorf("%s holds no definition types", dir)
	}
	return docs, nil
}

func (docs comments) add(spec *ast.TypeSpec, doc *ast.CommentGroup) {
	docs[spec.Name.Name] = paragraphs(doc.Text())
	st, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range st.Fields.List {
		for _, name := range f.Names {
			docs[spec.Name.Name+"."+name.Name] = paragraphs(f.Doc.Text())
		}
	}
}

func paragraphs(text string) string {
	parts := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(p, "\n", " ")
	}
	return strings.Join(parts, "\n\n")
}

// ofType returns the comment of a type without what it begins with for Go:
// "A Config is the main file" is "The main file".
func (docs comments) ofType(name string) string {
	text := docs[name]
	for _, article := range []string{"A ", "An "} {
		text = strings.TrimPrefix(text, article)
	}
	text = strings.TrimPrefix(text, name+" ")
	return upper(strings.TrimPrefix(text, "is "))
}

// ofField returns the comment of a field without its name: "Address is
// host:port" is "Host:port".
func (docs comments) ofField(typ, field string) string {
	text := strings.TrimPrefix(docs[typ+"."+field], field+" ")
	return upper(strings.TrimPrefix(strings.TrimPrefix(text, "is "), "are "))
}

func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
