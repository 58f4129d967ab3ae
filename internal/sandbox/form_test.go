package sandbox

import (
	"os"
	"path/filepath"
	"testing"
)

const uploads = `openapi: 3.0.3
info: {title: Files, version: "1"}
paths:
  /files:
    post:
      operationId: upload
      requestBody:
        required: true
        content:
          multipart/form-data: {schema: {$ref: "#/components/schemas/File"}}
      responses: {"201": {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/File"}}}}}
  /files/{id}:
    get:
      operationId: getFile
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/File"}}}}}
components:
  schemas:
    File:
      type: object
      required: [content, name]
      properties:
        id: {type: integer, readOnly: true}
        content: {type: string, format: binary}
        name: {type: string}
        size: {type: integer}
        owner: {type: object, properties: {name: {type: string}}}
        pages: {type: array, items: {type: integer}}
`

func TestMultipart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "files.yaml")
	if err := os.WriteFile(file, []byte(uploads), 0o600); err != nil {
		t.Fatal(err)
	}
	u := open(t, file)
	body := func(parts ...string) string {
		text := ""
		for i := 0; i < len(parts); i += 2 {
			text += "--b\r\nContent-Disposition: form-data; name=\"" + parts[i] + "\"\r\n\r\n" + parts[i+1] + "\r\n"
		}
		return text + "--b--\r\n"
	}
	const kind = "multipart/form-data; boundary=b"
	u.send("POST /files", body("content", "\xff\xfe", "name", "x.bin", "size", "2", "owner", `{"name":"Ann"}`, "pages", "[1,2]"), "Content-Type", kind).is(201).
		says("content", "//4=").says("name", "x.bin").says("size", "2").says("owner.name", "Ann").says("pages.1", "2")
	u.send("POST /files", body("content", "text", "name", "x", "pages", "3", "pages", "4"), "Content-Type", kind).is(201).
		says("content", "text").says("pages.0", "3").says("pages.1", "4")
	u.send("POST /files", body("content", "text"), "Content-Type", kind).is(400).says("message", "The required field name is missing.")
	u.send("POST /files", body("content", "text")[:30], "Content-Type", kind).is(400)
	u.send("POST /files", body("content", "text"), "Content-Type", "multipart/form-data").is(400)
}
