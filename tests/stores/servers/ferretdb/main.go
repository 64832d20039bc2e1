// A server that speaks MongoDB's protocol, for the tests: FerretDB in front of
// PostgreSQL (a postgres:// URL) or SQLite (a file: URL of a folder that exists).
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	config := &ferretdb.Config{Listener: ferretdb.ListenerConfig{TCP: os.Args[1]}}
	if strings.HasPrefix(os.Args[2], "file:") {
		config.Handler, config.SQLiteURL = "sqlite", os.Args[2]
	} else {
		config.Handler, config.PostgreSQLURL = "postgresql", os.Args[2]
	}
	server, err := ferretdb.New(config)
	if err != nil {
		log.Fatal(err)
	}
	until, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := server.Run(until); err != nil {
		log.Fatal(err)
	}
}
