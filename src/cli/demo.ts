import type { CliCommand, CommandContext } from './command.js'
import { ASTERISK_VARIABLE, type AsteriskOptions, findAsterisk } from './demo/asterisk.js'
import { type Brokers, findBrokers, URL_VARIABLES } from './demo/brokers.js'
import { figuresLine } from './demo/figures.js'
import { makePlayer } from './demo/play.js'
import { isNoNews, makeRowMaker, type Played } from './demo/rows.js'
import { makeScenario } from './demo/scenario.js'
import { makeSite, ownName, type Site } from './demo/site.js'
import { type Stage, setStage } from './demo/stage.js'
import { headingLines, tableLines } from './demo/table.js'
import { cut, type Terminal, terminalOf, wrap } from './demo/terminal.js'
import { Trouble } from './demo/trouble.js'
import { EXIT, type ExitCode, type Io } from './io.js'

interface Options {
  readonly embedded?: boolean
  readonly full?: boolean
}

const HELP = `
The gateway carries a handful of real messages between a legacy system, an XSwitch, an
Asterisk and an ARI application; a table shows each as it came and as it went out. It
takes the brokers it finds:

  1. those that ${URL_VARIABLES.amqp} and ${URL_VARIABLES.nats} name; on these everything
     runs under names of its own, and what it declared is removed at the end,
  2. else rabbitmq-server and nats-server of this machine, started for the demo alone,
  3. else none: then the messages stay inside this process.

The Asterisk is the one that ${ASTERISK_VARIABLE} names (http://user:password@host:8088), else
asterisk of this machine, started for the demo alone; on either a call is made that no
telephone hears, in an application of its own. Else a stand-in plays a recorded call.

Examples:
  patchbay demo
  patchbay demo --full
  NO_COLOR=1 COLUMNS=120 patchbay demo --embedded > demo.txt`

/** `patchbay demo`: the gateway at work on sample calls. */
export const demoCommand: CliCommand = {
  name: 'demo',
  register(command, { io, exit }: CommandContext) {
    command
      .description('Shows the gateway at work on sample calls.')
      .option('--embedded', 'use no brokers, even where there are some')
      .option('--full', 'show every body whole, not only what is new in it')
      .addHelpText('after', HELP)
      .action(async (options: Options) => exit(await demo(options, io)))
  },
}

async function demo(options: Options, io: Io): Promise<ExitCode> {
  const terminal = terminalOf(process.stdout, io.env)
  const print = (lines: readonly string[]) => io.out(lines.map((line) => `${line}\n`).join(''))
  const stops: (() => Promise<void>)[] = []
  const { signalled, forget } = listenForSignals()
  try {
    await Promise.race([show(options, io, terminal, print, stops), signalled])
    return EXIT.fine
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    io.err(`error: ${error.message}`)
    return EXIT.faults
  } finally {
    for (const stop of stops.splice(0).reverse()) await stop()
    forget()
  }
}

type Print = (lines: readonly string[]) => Promise<void>

async function show(options: Options, io: Io, terminal: Terminal, print: Print, stops: (() => Promise<void>)[]) {
  const note = (line: string) => void print([terminal.paint('dim', line)])
  const own = ownName()
  const { brokers, asterisk } = await findAll({ env: io.env, embedded: options.embedded === true, note }, own, stops)
  const site = makeSite(own, brokers.amqp.how === 'given' || brokers.nats.how === 'given')
  const stage = await setStage(site, brokers, asterisk)
  stops.push(stage.stop)
  await print(introduction(brokers, site, stage, options, terminal))
  const now = Date.now()
  const player = makePlayer(stage, now)
  const table = makeRowMaker(site.prefix, options.full === true)
  const before: Played[] = []
  for (const [at, act] of makeScenario(site, asterisk, now).entries()) {
    const all = await player.play(act)
    const played = options.full ? all : all.filter((each) => !isNoNews(each))
    before.push(...played)
    const rows = act.isLookBack ? table.lookBack(before) : table.rows(played)
    const lines = [...headingLines(at + 1, act.title, act.about, terminal), ...tableLines(rows, terminal)]
    await print([...lines, ...leftOut(all.length - played.length, terminal)])
  }
  await print(ending(await stage.gateway.metrics(), options, io.env, terminal))
}

type FindOptions = Pick<AsteriskOptions, 'env' | 'embedded' | 'note'>

/** Both take their time, so they are looked for at once. What is found is stopped even if the other is not. */
async function findAll(options: FindOptions, own: string, stops: (() => Promise<void>)[]) {
  const brokersFound = findBrokers(options).then((brokers) => {
    stops.push(async () => void (await Promise.all([brokers.amqp.stop(), brokers.nats.stop()])))
    return brokers
  })
  const asteriskFound = findAsterisk({ ...options, own }).then((asterisk) => {
    stops.push(asterisk.stop)
    return asterisk
  })
  await Promise.allSettled([brokersFound, asteriskFound])
  return { brokers: await brokersFound, asterisk: await asteriskFound }
}

function leftOut(count: number, terminal: Terminal): string[] {
  if (count === 0) return []
  return indented(`${count} more events came that were no news to either side.`, terminal)
}

function introduction(
  brokers: Brokers,
  site: Site,
  { gateway, asterisk, apps }: Stage,
  options: Options,
  terminal: Terminal,
): string[] {
  const facts = [
    `legacy side      ${brokers.amqp.label}`,
    `XSwitch side     ${brokers.nats.label}`,
    `Asterisk side    ${asterisk.label}`,
    `ARI application  connected to port ${apps.port} of the gateway`,
    `gateway          ${gateway.label}`,
  ]
  const notes = [
    ...embeddedNote(brokers, options),
    ...(site.prefix === ''
      ? []
      : [
          `On your brokers all names begin with ${site.prefix}, which is left out below. What was declared is removed at the end.`,
        ]),
    options.full
      ? 'Each row is a message as it came, and what went out for it.'
      : 'Each row is a message, or one event of it, as it came and what went out for it. A call’s first message is shown with its fields, later ones with what is new. What only rides along for the way back is counted.',
  ]
  return [
    '',
    terminal.paint(
      'title',
      cut(' Patchbay: voice_events, XCC and ARI, each side in its own language', terminal.columns),
    ),
    '',
    ...facts.flatMap((fact) => indented(fact, terminal)),
    '',
    ...notes.flatMap((text) => indented(text, terminal)),
  ]
}

function embeddedNote({ amqp, nats }: Brokers, { embedded }: Options): string[] {
  const missing = [amqp, nats].flatMap(({ how, name }) => (how === 'embedded' ? [name] : []))
  if (missing.length === 0) return []
  const why = embedded === true ? 'As asked, there is no broker' : `There is no ${missing.join(' and no ')} here`
  return [`${why}: messages stay inside this process. The gateway between the sides is the real one.`]
}

function indented(text: string, { columns }: Terminal): string[] {
  return wrap(text, columns - 5).map((line) => `    ${line}`)
}

function ending(metrics: string, { full }: Options, env: Io['env'], terminal: Terminal): string[] {
  // Started by npm in a clone, where no command is installed.
  const [demo, patchbay] =
    env.npm_lifecycle_event === 'demo' ? ['npm run demo --', 'node dist/main.js'] : ['patchbay demo', 'patchbay']
  const next = [
    ...(full ? [] : [`${demo} --full: every body whole`]),
    `${patchbay} run -c patchbay.yaml: the same between your own brokers`,
    'mappings/*.yaml: where this translation is written down',
  ]
  return [
    '',
    terminal.paint('title', ' The gateway counted:'),
    ...indented(figuresLine(metrics), terminal),
    '',
    terminal.paint('title', ' From here:'),
    ...next.flatMap((line) => indented(line, terminal)),
    '',
  ]
}

/** A signal ends the demo by way of its usual end, so that nothing is left running. */
function listenForSignals(): { signalled: Promise<never>; forget(): void } {
  let end: (signal: NodeJS.Signals) => void = () => undefined
  const signalled = new Promise<never>((_, reject) => {
    end = (signal) => reject(new Trouble(`ended by ${signal}`))
  })
  signalled.catch(() => undefined)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  return {
    signalled,
    forget() {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
    },
  }
}
