import { randomBytes } from 'node:crypto'

// What both stores select, under the names that the schema has; `list` is how a store takes a list.
const PRODUCT = `SELECT id, gtin, name, brand, country_of_origin AS "countryOfOrigin", net_content AS "netContent"
  FROM products`

export const product = (one) => `${PRODUCT} WHERE gtin = ${one}`
export const page = (one, two) => `${PRODUCT} WHERE gtin > ${one} ORDER BY gtin LIMIT ${two}`

const CERTIFICATION = 'd.code, d.label, d.program'
const CLAIM = 'd.code, d.label, d.category'

// The order by label needs the definition in any case; `joined` also selects what is known of it.
export const certifications = (list, joined) => `SELECT a.gtin, a.id, a.certificate_number AS "certificateNumber",
    a.issuing_body AS "issuingBody", a.valid_from AS "validFrom", a.expiration_date AS "expirationDate",
    upper(a.verification_status) AS "verificationStatus", d.id AS definition ${joined ? ', ' + CERTIFICATION : ''}
  FROM certification_assignments a JOIN certifications d ON d.id = a.certification_id
  WHERE a.gtin ${list} ORDER BY d.label, a.certification_id`

export const claims = (list, joined) => `SELECT a.gtin, a.id, a.source, a.valid_from AS "validFrom",
    a.expiration_date AS "expirationDate", a.evidence_url AS "evidenceUrl", d.id AS definition
    ${joined ? ', ' + CLAIM : ''}
  FROM claim_assignments a JOIN claims d ON d.id = a.claim_id
  WHERE a.gtin ${list} ORDER BY d.label, a.claim_id`

export const certificationsOfIds = (list) => `SELECT d.id, ${CERTIFICATION} FROM certifications d WHERE d.id ${list}`
export const claimsOfIds = (list) => `SELECT d.id, ${CLAIM} FROM claims d WHERE d.id ${list}`

export const withCertification = (row) => {
  row.certification = { id: row.definition, code: row.code, label: row.label, program: row.program }
  return row
}

export const withClaim = (row) => {
  row.claim = { id: row.definition, code: row.code, label: row.label, category: row.category }
  return row
}

export const asItIs = (row) => row

export const assigned = (id, claim) => ({
  id,
  source: 'BRAND_SELF_DECLARED',
  validFrom: null,
  expirationDate: null,
  evidenceUrl: '',
  claim
})

const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
export function newId () {
  let id = 'N'
  for (const byte of randomBytes(21)) id += ALPHABET[byte % 57]
  return id
}
