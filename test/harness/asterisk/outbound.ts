/** What an Asterisk shows whom it connects to. */
export interface OutboundLogin {
  readonly username: string
  readonly password: string
}

/**
 * Files by which an Asterisk keeps a connection to an address, for the application `patchbay` and as the ARI user of that name.
 * @param uri `ws:` or `wss:`
 * @param lines more of the client's section, such as its TLS
 */
export function outboundFiles(uri: string, { username, password }: OutboundLogin, lines = '') {
  return {
    'ari.conf': `
[outbound]
type = outbound_websocket
websocket_client_id = gateway
apps = patchbay
local_ari_user = patchbay
`,
    'websocket_client.conf': `
[gateway]
type = websocket_client
uri = ${uri}
protocols = ari
username = ${username}
password = ${password}
connection_type = persistent
reconnect_interval = 200
${lines}`,
  } as const
}
