// A server in several processes behind one port: node cluster.js PROCESSES SERVER ARGUMENTS...
import cluster from 'node:cluster'

const [processes, server, ...rest] = process.argv.slice(2)
if (cluster.isPrimary) {
  for (let i = 0; i < Number(processes); i++) cluster.fork()
} else {
  process.argv.splice(2, Infinity, ...rest)
  await import(`./${server}`)
}
