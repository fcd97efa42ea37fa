import Database from 'better-sqlite3'
import * as statements from './statements.js'

export function openDatabase (file) {
  const db = new Database(file)
  // As our own connections are set.
  for (const pragma of [
    'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'mmap_size = 1073741824', 'cache_size = -32768',
    'temp_store = MEMORY'
  ]) db.pragma(pragma)
  return db
}

// A function that makes an assignment: null where there is no such product or claim, or where it is made already.
export function assigning (db) {
  const claim = db.prepare('SELECT id, code, label, category FROM claims WHERE id = ?')
  const owned = db.prepare('SELECT 1 FROM products WHERE gtin = ?')
  const insert = db.prepare(`INSERT INTO claim_assignments
    (gtin, claim_id, id, metadata, source, evidence_url, evidence_note, created_at, updated_at, version)
    VALUES (?, ?, ?, '{}', 'BRAND_SELF_DECLARED', '', '', ?, ?, 1) ON CONFLICT DO NOTHING`)
  const assign = db.transaction((id, gtin, claimId) => {
    const definition = claim.get(claimId)
    if (!definition || !owned.get(gtin)) return null
    const now = new Date().toISOString().replace('T', ' ').replace('Z', '000')
    return insert.run(gtin, claimId, id, now, now).changes === 1 ? statements.assigned(id, definition) : null
  })
  return (gtin, claimId) => assign.immediate(statements.newId(), gtin, claimId)
}

export async function openStore (file, joined) {
  const db = openDatabase(file)
  const inList = 'IN (SELECT value FROM json_each(?))'
  const product = db.prepare(statements.product('?'))
  const page = db.prepare(statements.page('?', '?'))
  const certifications = db.prepare(statements.certifications(inList, joined))
  const claims = db.prepare(statements.claims(inList, joined))
  const certificationsOfIds = db.prepare(statements.certificationsOfIds(inList))
  const claimsOfIds = db.prepare(statements.claimsOfIds(inList))
  const withCertification = joined ? statements.withCertification : statements.asItIs
  const withClaim = joined ? statements.withClaim : statements.asItIs

  return {
    product: (gtin) => product.get(gtin) ?? null,
    page: (behind, limit) => page.all(behind, limit),
    certifications: (gtins) => certifications.all(JSON.stringify(gtins)).map(withCertification),
    claims: (gtins) => claims.all(JSON.stringify(gtins)).map(withClaim),
    certificationsOfIds: (ids) => certificationsOfIds.all(JSON.stringify(ids)),
    claimsOfIds: (ids) => claimsOfIds.all(JSON.stringify(ids)),
    assignClaim: assigning(db)
  }
}
