package telemetry

import (
	"context"
	"fmt"
	"log/slog"
)

// MaskLog returns a handler that hands every record to next without the secrets that m knows: in its message, and in
// every attribute that is, or prints as, a text.
func MaskLog(next slog.Handler, m *Masker) slog.Handler { return &maskedLog{next, m} }

type maskedLog struct {
	next   slog.Handler
	masker *Masker
}

// Enabled asks the handler below.
func (h *maskedLog) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle masks a record.
func (h *maskedLog) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, h.masker.Text(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs masks the attributes once, for all records.
func (h *maskedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &maskedLog{h.next.WithAttrs(h.attrs(attrs)), h.masker}
}

// WithGroup opens a group.
func (h *maskedLog) WithGroup(name string) slog.Handler {
	return &maskedLog{h.next.WithGroup(name), h.masker}
}

func (h *maskedLog) attrs(attrs []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.attr(a)
	}
	return clean
}

// attr masks one attribute. Numbers, times and booleans hold no secret and keep their type; anything else that is not a
// text already is masked as the text that it prints as, where that text holds one.
func (h *maskedLog) attr(a slog.Attr) slog.Attr {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, h.masker.Text(value.String()))
	case slog.KindGroup:
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(h.attrs(value.Group())...)}
	case slog.KindAny:
		text := fmt.Sprintf("%+v", value.Any())
		if raw, ok := value.Any().([]byte); ok {
			text = string(raw) // the handlers write it as text
		}
		if clean := h.masker.Text(text); clean != text {
			return slog.String(a.Key, clean)
		}
	}
	return slog.Attr{Key: a.Key, Value: value}
}
