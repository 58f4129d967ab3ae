package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"mcpgate/config"
)

// healthTimeout is less than what Docker and Kubernetes grant a probe by default.
const healthTimeout = 3 * time.Second

func (t *terminal) healthCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running gateway whether it is alive (for HEALTHCHECK in a container)",
		Long: `Ask the gateway that runs on this machine, with this gateway.yaml, whether it is alive: GET /healthz.
It needs neither a shell nor curl, so an image can use it for its HEALTHCHECK. Exits with 1 where the answer isn't 200.`,
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				cfg, err := t.loadConfig(false)
				if err != nil {
					return err
				}
				url = healthURL(cfg.Server)
			}
			if err := askHealth(cmd.Context(), url); err != nil {
				return err
			}
			_, err := fmt.Fprintln(t.stdout, "ok")
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "the `URL` to ask (default: /healthz where gateway.yaml says that it listens)")
	return cmd
}

// healthURL is where a gateway with these settings answers health probes on this machine.
func healthURL(s config.Server) string {
	listen, scheme := s.Listen, "http"
	switch {
	case !isOff(s.Health):
		listen = s.Health
	case s.TLS.CertFile != "":
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // listening everywhere is listening here
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/healthz"
}

func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usageError{err}
	}
	client := &http.Client{Transport: &http.Transport{
		Proxy: nil, // it is this machine that is asked
		// The certificate bears the public name, and the question is only whether our own process answers.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as said above
	}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the gateway does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the gateway answers %s at %s", resp.Status, url)
	}
	return nil
}
