package sandbox

import (
	"strings"
	"testing"
)

const petstore = "../../specs/testdata/corpus/swagger-api__openapi.yaml"

// TestPetstoreStory plays the document that everybody tries first.
func TestPetstoreStory(t *testing.T) {
	u := open(t, petstore)
	u.send("GET /pet/10", "").is(200).says("name", "doggie").says("category.name", "Dogs")
	u.send("GET /pet/findByStatus?status=pending", "").is(200).has("", 1).says("0.status", "pending")
	u.send("GET /pet/findByStatus?status=lost", "").is(400)

	added := u.send("POST /pet", `{"name":"Mistral","photoUrls":[],"status":"available","tags":[{"id":7,"name":"quiet"}]}`).is(200)
	added.says("id", "13").says("name", "Mistral")
	u.send("GET /pet/13", "").is(200).says("name", "Mistral")
	u.send("GET /pet/findByTags?tags=quiet", "").is(200).has("", 1).says("0.id", "13")
	u.send("GET /pet/findByStatus?status=available", "").is(200).has("", 2)
	u.send("POST /pet", `{"id":13,"name":"Again","photoUrls":[]}`).is(409)
	u.send("POST /pet", `{"name":"No pictures"}`).is(400).says("message", "The required field photoUrls is missing.")

	u.send("PUT /pet", `{"id":13,"name":"Mistral","photoUrls":["a"],"status":"sold"}`).is(200).says("status", "sold")
	u.send("POST /pet/13?name=Zephyr&status=pending", "").is(200).says("name", "Zephyr").says("status", "pending")
	u.send("GET /store/inventory", "").is(200).says("available", "1").says("pending", "2").says("sold", "1")
	u.send("POST /pet/13/uploadImage", "bytes", "Content-Type", "application/octet-stream").is(200).says("code", "200")
	u.send("DELETE /pet/13", "").is(200)
	u.send("GET /pet/13", "").is(404)
	u.send("POST /pet/13/uploadImage", "bytes", "Content-Type", "application/octet-stream").is(404)

	order := u.send("POST /store/order", `{"petId":10,"quantity":2}`).is(200)
	order.says("petId", "10").says("quantity", "2")
	u.send("GET /store/order/"+text(order.at("id")), "").is(200).says("petId", "10")

	u.send("POST /user/createWithList", `[{"username":"ola"},{"username":"pim"}]`).is(200).says("username", "pim")
	u.send("GET /user/ola", "").is(200).says("username", "ola")
	u.send("PUT /user/ola", `{"email":"ada@example.com"}`).is(200)
	u.send("GET /user/ola", "").is(200).says("username", "ola").says("email", "ada@example.com")
	u.send("GET /user/login?username=ada&password=x", "").is(200)
}

// TestPetShopStory plays the document of the first example.
func TestPetShopStory(t *testing.T) {
	u := open(t, "../../examples/petstore/petstore.openapi.yaml")
	u.send("GET /pets", "").is(200).has("", 3).says("0.name", "Biscuit")
	u.send("GET /pets?status=sold", "").is(200).has("", 1).says("0.name", "Pepper")
	u.send("GET /pets?limit=2", "").is(200).has("", 2)
	u.send("POST /pets", `{"name":"Juno","species":"bird"}`).is(201).says("id", "4").says("status", "available")
	u.send("GET /pets/4", "").is(200).says("name", "Juno")
	u.send("POST /pets", `{"name":"Juno","species":"dragon"}`).is(400).
		says("message", `The field species can't be "dragon"; it is one of dog, cat, rabbit, bird.`)
	u.send("DELETE /pets/4", "").is(204)
	u.send("DELETE /pets/4", "").is(404)
}

// TestMuseumStory plays a document with a list that has no ids, and a sale that nobody can read back.
func TestMuseumStory(t *testing.T) {
	u := open(t, "../../specs/testdata/corpus/redocly__openapi.yaml")
	if hours := u.send("GET /museum-hours", "").is(200); hours.at("0.id") != nil || hours.at("0.date") == nil {
		t.Errorf("opening hours have no id: %s", hours.text)
	}
	u.send("POST /tickets", `{"ticketType":"general","ticketDate":"2026-01-01","email":"ada@example.com"}`).is(201).
		says("ticketType", "general").says("ticketDate", "2026-01-01")
	made := u.send("POST /special-events", `{"name":"Night","location":"Hall","eventDescription":"Dark.","dates":["2026-01-01"],"price":3}`).is(201)
	path := "/special-events/" + text(made.at("eventId"))
	u.send("PATCH "+path, `{"price":4}`).is(200).says("price", "4").says("name", "Night")
	u.send("DELETE "+path, "").is(204)
	u.send("GET "+path, "").is(404)
	if code := u.send("GET /tickets/382c0820-0530-4f4b-99af-13811ad0f17a/qr", "").is(200); code.header.Get("Content-Type") != "image/png" {
		t.Errorf("the ticket's code is %s", code.header.Get("Content-Type"))
	}
}

// TestLibraryStory plays records that lie under others, pages, and problems as RFC 9457 has them.
func TestLibraryStory(t *testing.T) {
	u := open(t, "../../examples/several/books.openapi.yaml")
	u.send("GET /books?pageSize=3&page=2", "").is(200).has("data", 1).says("data.0.id", "bk-04").
		says("pagination.page", "2").says("pagination.pageSize", "3").says("pagination.total", "4")
	u.send("GET /books?author=mira%20solvang", "").is(200).has("data", 2).says("pagination.total", "2")

	u.send("GET /books/bk-03/loans", "").is(200).has("", 1)
	u.send("GET /books/bk-02/loans", "").is(200).has("", 0)
	u.send("POST /books/bk-02/loans", `{"reader":"R-1","due":"2026-12-24"}`).is(201).says("id", "902").says("bookId", "bk-02")
	u.send("GET /books/bk-02/loans", "").is(200).has("", 1).says("0.reader", "R-1")
	u.send("GET /books/bk-03/loans", "").is(200).has("", 1).says("0.reader", "R-1204")
	missing := u.send("GET /books/bk-77/loans", "").is(404)
	missing.says("title", "Not Found").says("status", "404").says("detail", `There is no book with the id "bk-77"; ids here look like "bk-04".`)
	if got := missing.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("a problem comes as %s", got)
	}
	u.send("POST /books/bk-02/loans", `{"reader":"R-1","due":"soon"}`).is(422)
}

// What an update replaces takes no room any more.
func TestUpdatesGiveBackTheirRoom(t *testing.T) {
	u := open(t, petstore)
	empty := u.s.held
	long := strings.Repeat("x", 10000)
	for range 50 {
		u.send("PUT /pet", `{"id":10,"name":"`+long+`","photoUrls":[]}`).is(200)
	}
	if grown := u.s.held - empty; grown < len(long)-1000 || grown > 2*len(long) {
		t.Errorf("50 updates of %d bytes hold %d", len(long), grown)
	}
	u.send("PUT /pet", `{"id":10,"name":"short","photoUrls":[]}`).is(200)
	if u.s.held > empty+1000 {
		t.Errorf("%d bytes are held that were given back", u.s.held-empty)
	}
}
