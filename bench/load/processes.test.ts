import { expect, test } from 'bun:test'
import {
  countConnections,
  cpuBetween,
  isAlive,
  processTree,
  readCpu,
  readMemory,
} from './processes'

const onLinux = test.skipIf(process.platform !== 'linux')

const BURN = 'const end = performance.now() + 300; while (performance.now() < end);'

onLinux('a tree holds its grandchildren, and nobody once it has ended', async () => {
  const parent = Bun.spawn(['sh', '-c', 'sleep 60 & echo started; wait'], { stdout: 'pipe' })
  await parent.stdout.getReader().read()
  const tree = processTree(parent.pid)
  expect(tree).toHaveLength(2)
  expect(tree[0]).toBe(parent.pid)
  for (const pid of tree.toReversed()) process.kill(pid, 'SIGKILL')
  await parent.exited
  expect(processTree(parent.pid)).toEqual([])
  expect(isAlive(parent.pid)).toBe(false)
})

onLinux('the CPU time of a child counts, though it was not there before', async () => {
  const parent = Bun.spawn(
    ['sh', '-c', `read line; "${process.execPath}" -e '${BURN}'; read line`],
    {
      stdin: 'pipe',
    }
  )
  const before = readCpu(parent.pid)
  parent.stdin.write('go\n')
  await parent.stdin.flush()
  let used = cpuBetween(before, readCpu(parent.pid))
  for (let tries = 0; tries < 200 && used.totalMicros < 100_000; tries++) {
    await Bun.sleep(20)
    used = cpuBetween(before, readCpu(parent.pid))
  }
  expect(used.totalMicros).toBeGreaterThanOrEqual(100_000)
  expect([...used.microsByThread.values()].some((micros) => micros >= 50_000)).toBe(true)
  for (const pid of processTree(parent.pid)) process.kill(pid, 'SIGKILL')
  await parent.exited
})

onLinux('memory is that of the process, its anonymous part within', () => {
  const { pssBytes, anonBytes } = readMemory(process.pid)
  expect(anonBytes).toBeGreaterThan(1_000_000)
  expect(pssBytes).toBeGreaterThan(anonBytes)
})

onLinux('connections are counted at the port that accepted them', async () => {
  using server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  expect(countConnections(server.port)).toBe(0)
  const sockets = await Promise.all(
    [1, 2, 3].map(() =>
      Bun.connect({ hostname: '127.0.0.1', port: server.port, socket: { data() {} } })
    )
  )
  expect(countConnections(server.port)).toBe(3)
  for (const socket of sockets) socket.terminate()
})
