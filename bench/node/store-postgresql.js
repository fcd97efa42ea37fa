import pg from 'pg'
import * as statements from './statements.js'

// Dates as they are written, not as a moment in some time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)

export async function openStore (url, joined) {
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  const run = async (name, text, values) => (await pool.query({ name, text, values })).rows
  const inList = '= ANY ($1)'
  const product = statements.product('$1')
  const page = statements.page('$1', '$2')
  const certifications = statements.certifications(inList, joined)
  const claims = statements.claims(inList, joined)
  const certificationsOfIds = statements.certificationsOfIds(inList)
  const claimsOfIds = statements.claimsOfIds(inList)
  const withCertification = joined ? statements.withCertification : statements.asItIs
  const withClaim = joined ? statements.withClaim : statements.asItIs
  // One statement is one transaction and one round trip; an unknown product or claim breaks a foreign key.
  const assign = `WITH done AS (
      INSERT INTO claim_assignments
        (gtin, claim_id, id, metadata, source, evidence_url, evidence_note, created_at, updated_at, version)
      VALUES ($2, $3, $1, '{}', 'BRAND_SELF_DECLARED', '', '', now(), now(), 1)
      ON CONFLICT DO NOTHING RETURNING claim_id)
    SELECT d.id, d.code, d.label, d.category FROM done JOIN claims d ON d.id = done.claim_id`

  return {
    product: async (gtin) => (await run('product', product, [gtin]))[0] ?? null,
    page: (behind, limit) => run('page', page, [behind, limit]),
    certifications: async (gtins) =>
      (await run('certifications', certifications, [gtins])).map(withCertification),
    claims: async (gtins) => (await run('claims', claims, [gtins])).map(withClaim),
    certificationsOfIds: (ids) => run('certificationsOfIds', certificationsOfIds, [ids]),
    claimsOfIds: (ids) => run('claimsOfIds', claimsOfIds, [ids]),
    assignClaim: async (gtin, claimId) => {
      const id = statements.newId()
      const rows = await run('assign', assign, [id, gtin, claimId])
      return rows.length === 1 ? statements.assigned(id, rows[0]) : null
    }
  }
}
