package main

import (
	"io"
	"log/slog"
	"os"

	"mcpgate/config"
	"mcpgate/internal/telemetry"
)

// logger writes to stderr as telemetry.log says, without the secrets of gateway.yaml. The format is text for people at
// a terminal and JSON for whatever collects it elsewhere, unless the file chooses.
func (t *terminal) logger(cfg *config.Config) *slog.Logger {
	var level slog.Level // info
	if err := level.UnmarshalText([]byte(cfg.Telemetry.Log.Level)); err != nil {
		level = slog.LevelInfo // none was named: config lets no other through
	}
	var handler slog.Handler = slog.NewJSONHandler(t.stderr, &slog.HandlerOptions{Level: level, ReplaceAttr: inMilliseconds})
	if format := cfg.Telemetry.Log.Format; format == "text" || format == "" && isTerminal(t.stderr) {
		handler = slog.NewTextHandler(t.stderr, &slog.HandlerOptions{Level: level})
	}
	return slog.New(telemetry.MaskLog(handler, telemetry.NewMasker(telemetry.Secrets(cfg))))
}

// inMilliseconds writes `duration` as `duration_ms`: slog's JSON has nanoseconds, and says so nowhere.
func inMilliseconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindDuration {
		return a
	}
	return slog.Float64(a.Key+"_ms", float64(a.Value.Duration().Microseconds())/1000)
}

// isTerminal reports whether a person sees what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
