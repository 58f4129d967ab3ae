// Starts the feature-flag server that the suite reads and writes through the gateway: a real API with its own
// OpenAPI document. Usage: node unleash.mjs PORT SOCKET_FOLDER; it prints "ready" when it answers.
import { start } from 'unleash-server';

const [port, socket] = process.argv.slice(2);
await start({
  enableOAS: true,
  checkVersion: false,
  versionCheck: { enable: false, url: 'http://127.0.0.1:9' },
  telemetry: false,
  logLevel: 'error',
  secureHeaders: false,
  db: { host: socket, user: 'postgres', database: 'postgres', password: 'unused', ssl: false },
  server: { host: '127.0.0.1', port: Number(port), unleashUrl: `http://127.0.0.1:${port}` },
  authentication: {
    type: 'none',
    createAdminUser: true,
    initApiTokens: [],
  },
});
console.log('ready');
