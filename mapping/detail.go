package mapping

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"mcpgate/internal/fault"
)

// detail is what an upstream's error body says, whatever its shape.
type detail struct {
	message string
	code    string
	fields  []fault.Field
}

// readDetail finds the message, the code and the fields in a body of any kind.
func readDetail(body []byte, mediaType string) detail {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return detail{}
	case body[0] == '{' || body[0] == '[' || body[0] == '"' || isJSON(mediaType):
		if value, ok := decodeLoosely(body); ok {
			var d detail
			d.read(value, false, 0)
			if d.message == "" && d.code == "" {
				d.message = printable(body)
			}
			return d
		}
	case looksLikeHTML(body):
		return detail{message: pageTitle(body)}
	case body[0] == '<':
		if d := readXML(body); d.message != "" || d.code != "" {
			return d
		}
	}
	return detail{message: printable(body)}
}

// printable is a text on one line; of binary data nothing.
func printable(body []byte) string {
	if bytes.IndexByte(body, 0) >= 0 {
		return ""
	}
	return oneLine(string(body))
}

// decodeLoosely decodes the JSON value at the beginning of body.
func decodeLoosely(body []byte) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err == nil
}

// The names that errors' parts go by, the telling ones first. A title ("Bad Request") counts where nothing else does.
var (
	messageNames = []string{"message", "error_description", "detail", "description", "errormessage", "error_message",
		"msg", "faultstring", "reason", "userMessage"}
	titleNames = []string{"title", "error", "summary", "status_message", "statustext"}
	codeNames  = []string{"errorCode", "error_code", "o:errorCode", "code", "errcode", "key", "status", "category", "type"}
	fieldNames = []string{"field", "o:errorPath", "param", "parameter", "property", "propertyPath", "propertyName",
		"fieldName", "attribute", "pointer", "source", "fields"}
	// itemFieldNames name a field too, but only in a list of errors: elsewhere a name is that of the error.
	itemFieldNames = append(fieldNames[:len(fieldNames):len(fieldNames)], "path", "instancePath", "loc", "name", "location", "target")
	// nestedNames hold errors inside an error: one, a list, or one for each field.
	nestedNames = []string{"error", "errors", "o:errorDetails", "detail", "details", "fault", "violations", "fieldErrors",
		"fieldViolations", "invalid-params", "invalidParams", "validationErrors", "validation_errors", "modelState",
		"params", "issues", "messages", "message", "causes", "exception", "response", "data"}
	// perFieldNames may hold an object with the messages of each field: {"email": ["is taken"]}.
	perFieldNames = []string{"errors", "details", "detail", "fieldErrors", "validationErrors", "validation_errors",
		"modelState", "messages", "message", "params", "invalidParams"}
)

// read adds what one JSON value says.
func (d *detail) read(value any, inList bool, depth int) {
	if depth > 5 || len(d.message) > maxDetail {
		return
	}
	switch value := value.(type) {
	case string:
		d.say(value)
	case []any:
		for _, item := range value {
			d.read(item, depth > 0, depth+1)
		}
	case map[string]any:
		d.readObject(value, inList, depth)
	}
}

func (d *detail) readObject(object map[string]any, inList bool, depth int) {
	names := fieldNames
	if inList {
		names = itemFieldNames
	}
	message, code := textOf(object, messageNames), codeOf(object)
	d.code = cmp.Or(d.code, code)
	if field := plainField(textOf(object, names)); field != "" && cmp.Or(message, code) != "" {
		d.fields = append(d.fields, fault.Field{Path: field, Message: oneLine(cmp.Or(message, code))})
		if message == "" { // as GitHub has it
			message = field + ": " + code
		}
	}
	before := d.message
	d.say(message)
	for _, name := range nestedNames {
		nested := lookup(object, name)
		if inner, ok := nested.(map[string]any); ok && slices.Contains(perFieldNames, name) && perField(inner) {
			d.readPerField(inner)
			continue
		}
		switch nested.(type) {
		case []any, map[string]any:
			d.read(nested, false, depth+1)
		}
	}
	if d.message == before {
		d.say(textOf(object, titleNames))
	}
}

// perField reports whether an object has a message, or a list of them, for each field: {"email": ["is taken"]}.
func perField(object map[string]any) bool {
	if len(object) == 0 || textOf(object, messageNames) != "" || object["lang"] != nil { // OData 2 has a text's language
		return false
	}
	for _, value := range object {
		items, isList := value.([]any)
		if _, isText := value.(string); !isText && !isList {
			return false
		}
		for _, item := range items {
			if _, isText := item.(string); !isText {
				return false
			}
		}
	}
	return true
}

func (d *detail) readPerField(object map[string]any) {
	for name, value := range members(object) {
		var messages []string
		switch value := value.(type) {
		case string:
			messages = []string{value}
		case []any:
			for _, item := range value {
				messages = append(messages, scalarText(item))
			}
		}
		message := oneLine(strings.Join(messages, "; "))
		d.fields = append(d.fields, fault.Field{Path: plainField(name), Message: message})
		d.say(name + ": " + message)
	}
}

// say adds a message, once.
func (d *detail) say(message string) {
	message = oneLine(message)
	switch {
	case message == "" || strings.Contains(d.message, message):
	case looksLikeHTML([]byte(message)):
		d.say(pageTitle([]byte(message)))
	case d.message == "" || strings.Contains(message, d.message):
		d.message = message
	default:
		d.message += "; " + message
	}
}

// codeOf returns an object's own error code: a word, else a number. OAuth's is in "error" (RFC 6749 section 5.2).
func codeOf(object map[string]any) string {
	if code, ok := object["error"].(string); ok && object["error_description"] != nil {
		return code
	}
	var number string
	for _, name := range codeNames {
		switch value := lookup(object, name).(type) {
		case string:
			// A type is a code where it is a word, not where it is a URL (RFC 9457 section 3.1.1) or a sentence; about:blank
			// says that the status says it all (section 4.2.1).
			if value != "" && value != "about:blank" && !strings.ContainsAny(value, " /") {
				return value
			}
		case json.Number:
			if number == "" && name != "status" {
				number = value.String()
			}
		}
	}
	return number
}

// textOf returns the first text among an object's members of these names; a list of texts is a path, as FastAPI's loc.
func textOf(object map[string]any, names []string) string {
	for _, name := range names {
		switch value := lookup(object, name).(type) {
		case string:
			if strings.TrimSpace(value) != "" {
				return value
			}
		case []any:
			if texts := textList(value); len(texts) > 0 && slices.Contains(itemFieldNames, name) {
				return strings.Join(texts, ".")
			}
		case map[string]any: // JSON:API's source; OData 2's message, which has a language and a value
			for _, inner := range []string{"pointer", "parameter", "header", "value"} {
				if text, ok := value[inner].(string); ok {
					return text
				}
			}
		}
	}
	return ""
}

// textList returns the items of a list of texts and numbers; nil where it holds anything else.
func textList(list []any) []string {
	var texts []string
	for _, item := range list {
		switch item.(type) {
		case string, json.Number:
			texts = append(texts, scalarText(item))
		default:
			return nil
		}
	}
	return texts
}

// lookup finds a member by its name, in any case.
func lookup(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	for key, value := range members(object) {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

// plainField turns the ways of naming a field into one: "/data/attributes/email" and "body.email" are "email".
func plainField(name string) string {
	path := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(name, "#"), "/", "."), ".")
	for _, prefix := range []string{"data.attributes.", "data.", "body.", "query.", "path.", "$.", "properties."} {
		path = strings.TrimPrefix(path, prefix)
	}
	return path
}
