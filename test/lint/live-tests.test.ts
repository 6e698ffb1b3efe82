import { expect, test } from 'vitest'
import { liveTests } from './live-tests.js'

const GIVEN = 'amqpUrl'
const tree = new Map([
  ['test/plain.test.ts', "import '../src/a.js'"],
  ['test/direct.test.ts', "import { startNats } from './harness/index.js'"],
  ['test/by-helper.test.ts', "import './helper.js'"],
  ['test/given.test.ts', `const url = inject('${GIVEN}')`],
  ['test/helper.ts', "import './harness/index.js'"],
  ['test/harness/index.ts', "import '../../src/a.js'"],
  ['src/a.ts', ''],
])

test('a test is live when it reaches the harness, directly or not, or is given a broker', () => {
  expect(liveTests(tree)).toEqual(['test/by-helper.test.ts', 'test/direct.test.ts', 'test/given.test.ts'])
})
