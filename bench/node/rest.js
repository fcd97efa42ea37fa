// A peer: two endpoints of the REST API by hand, on Fastify and better-sqlite3: node rest.js FILE PORT
//
// Answers are written by Fastify's own compiler of response schemas, which is its fastest way; nobody is asked for a
// key, and nothing is judged but what the database refuses.
import Fastify from 'fastify'
import { openDatabase, assigning } from './store-sqlite.js'

const [file, port] = process.argv.slice(2)
const db = openDatabase(file)

const text = { type: 'string' }
const orNull = { type: ['string', 'null'] }
const anything = { type: 'object', additionalProperties: true }
const certification = {
  type: 'object',
  properties: {
    id: text, label: text, is_active: { type: 'boolean' }, metadata: anything, code: text, description: text, url: text,
    logo_url: orNull, valid_from: orNull, expiration_date: orNull, certificate_number: text, issuing_body: text,
    expiry_date: orNull, verification_url: text, verification_status: text, scope: text, certification_value: text,
    audit_date: orNull, initial_certification_date: orNull, certificate_countries: { type: 'array', items: text }
  }
}
const claim = {
  type: 'object',
  properties: {
    id: text, label: text, code: text, category: text, source: text, metadata: anything, valid_from: orNull,
    expiration_date: orNull
  }
}

const known = db.prepare('SELECT 1 FROM products WHERE gtin = ?')
const held = db.prepare(`SELECT d.id, d.label, d.code, d.description, d.url, d.logo_url, a.metadata, a.valid_from,
    a.expiration_date, a.certificate_number, a.issuing_body, a.expiry_date, a.verification_url, a.verification_status,
    a.scope, a.certification_value, a.audit_date, a.initial_certification_date, a.certificate_countries
  FROM certification_assignments a JOIN certifications d ON d.id = a.certification_id
  WHERE a.gtin = ? ORDER BY d.label, a.certification_id`)
const assign = assigning(db)

const app = Fastify({ logger: false })
const products = '/certifications/api/v1/products/:gtin'

app.get(`${products}/certifications`, { schema: { response: { 200: { type: 'array', items: certification } } } },
  (request, reply) => {
    const { gtin } = request.params
    if (!known.get(gtin)) return reply.code(404).send()
    const today = new Date().toISOString().slice(0, 10)
    const rows = held.all(gtin)
    for (const row of rows) {
      row.metadata = JSON.parse(row.metadata)
      row.certificate_countries = JSON.parse(row.certificate_countries)
      row.logo_url ||= null
      row.is_active = (row.valid_from ?? today) <= today && today <= (row.expiration_date ?? today)
    }
    reply.send(rows)
  })

app.post(`${products}/claims`, { schema: { response: { 201: claim } } }, (request, reply) => {
  const made = assign(request.params.gtin, request.body.claim_id)
  if (!made) return reply.code(409).send()
  const { claim: definition, source } = made
  reply.code(201).send({ ...definition, source, metadata: {}, valid_from: null, expiration_date: null })
})

await app.listen({ port: Number(port), host: '127.0.0.1' })
