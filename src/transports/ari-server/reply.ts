import { STATUS_CODES } from 'node:http'

/** An answer to a request, on HTTP or on the event socket. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly body?: string
}

export function json(value: unknown, status = 200): Reply {
  return { status, contentType: 'application/json', body: JSON.stringify(value) }
}

export const noContent: Reply = { status: 204 }

/** An error in Asterisk's form. */
export function refusal(status: number, message: string, headers: Reply['headers'] = {}): Reply {
  return { ...json({ message }, status), headers }
}

/** An error from below ARI, for which Asterisk sends a page. `text` must be safe in HTML. */
export function page(status: number, text: string): Reply {
  const title = STATUS_CODES[status] ?? ''
  const lines = [
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">',
    '<html><head>',
    `<title>${status} ${title}</title>`,
    '</head><body>',
    `<h1>${title}</h1>`,
    `<p>${text}</p>`,
    '<hr />',
    '<address>Asterisk</address>',
    '</body></html>',
    '',
  ]
  return { status, contentType: 'text/html', body: lines.join('\r\n') }
}

/** What a command on a call gets: nobody behind us would carry it out. */
export const cannotSteer: Reply = refusal(
  501,
  'Not implemented: this call lives on the legacy system or on XSwitch and can be watched here, not steered',
)
