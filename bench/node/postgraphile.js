// A peer: PostGraphile 5 with its standard preset. node postgraphile.js URL PORT
import { createServer } from 'node:http'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'

const [url, port] = process.argv.slice(2)

const server = createServer()
const serv = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: url, schemas: ['public'], poolConfig: { max: 8 } })],
  grafserv: { graphqlPath: '/graphql', websockets: false, graphiql: false, watch: false },
  grafast: { explain: false },
  // Relations as plain lists, which is what the others answer with; pages of the root as connections with cursors.
  schema: { defaultBehavior: '+list +connection' }
}).createServ(grafserv)
await serv.addTo(server)
server.listen(Number(port), '127.0.0.1')
