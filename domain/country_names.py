"""What countries are called: names of Unicode CLDR 47, under the Unicode License V3 (`data/UNICODE-3.0.txt`)."""

NAMES = """
AD Andorra|Andorre|Andora
AE United Arab Emirates|Vereinigte Arabische Emirate|Émirats arabes unis|Emiratos Árabes Unidos
AE Emirati Arabi Uniti|Verenigde Arabische Emiraten|Emirados Árabes Unidos|Zjednoczone Emiraty Arabskie
AE الإمارات العربية المتحدة
AF Afghanistan|Afganistán|Afeganistão|افغانستان|Afgʻoniston
AG Antigua & Barbuda|Antigua und Barbuda|Antigua-et-Barbuda|Antigua y Barbuda|Antigua e Barbuda
AG Antigua en Barbuda|Antigua i Barbuda
AI Anguilla|Anguila
AL Albania|Albanien|Albanie|Shqipëri
AM Armenia|Armenien|Arménie|Հայաստան
AO Angola
AQ Antarctica|Antarktis|Antarctique|Antártida|Antartide|Antarktyda
AR Argentina|Argentinien|Argentine|Argentinië|Argentyna
AS American Samoa|Amerikanisch-Samoa|Samoa américaines|Samoa Americana|Samoa Americane|Amerikaans-Samoa
AS Samoa Amerykańskie
AT Austria|Österreich|Autriche|Oostenrijk
AU Australia|Australien|Australie
AW Aruba
AX Åland Islands|Ålandinseln|Îles Åland|Islas Aland|Isole Åland|Åland|Ilhas Aland|Wyspy Alandzkie
AZ Azerbaijan|Aserbaidschan|Azerbaïdjan|Azerbaiyán|Azerbaigian|Azerbeidzjan|Azerbaijão|Azerbejdżan|Азәрбајҹан
AZ Azərbaycan
BA Bosnia & Herzegovina|Bosnien und Herzegowina|Bosnie-Herzégovine|Bosnia y Herzegovina|Bosnia ed Erzegovina
BA Bosnië en Herzegovina|Bósnia e Herzegovina|Bośnia i Hercegowina|Bosna i Hercegovina|Босна и Херцеговина
BB Barbados|Barbade
BD Bangladesh|Bangladesch|Bangladés|Bangladesz|বাংলাদেশ|𑄝𑄁𑄣𑄘𑄬𑄌𑄴
BE Belgium|Belgien|Belgique|Bélgica|Belgio|België|Belgia
BF Burkina Faso|Burquina Faso|𞤄𞤵𞤪𞤳𞤭𞤲𞤢 𞤊𞤢𞤧𞤮𞥅|Burkibaa Faaso
BG Bulgaria|Bulgarien|Bulgarie|Bulgarije|Bułgaria|България
BH Bahrain|Bahreïn|Baréin|Bahrajn|البحرين
BI Burundi|Uburundi
BJ Benin|Benɛɛ|Bɛ̀nɛ̀
BL St. Barthélemy|Saint-Barthélemy|San Bartolomé|São Bartolomeu
BM Bermuda|Bermudes|Bermudas|Bermudy
BN Brunei|Brunei Darussalam
BO Bolivia|Bolivien|Bolivie|Boliwia
BQ Caribbean Netherlands|Karibische Niederlande|Pays-Bas caribéens|Caribe neerlandés|Caraibi Olandesi
BQ Caribisch Nederland|Países Baixos Caribenhos|Niderlandy Karaibskie
BR Brazil|Brasilien|Brésil|Brasil|Brasile|Brazilië|Brazylia|Mrasir|Brasiu
BS Bahamas|Bahamy
BT Bhutan|Bhoutan|Bután|Butão|འབྲུག
BV Bouvet Island|Bouvetinsel|Île Bouvet|Isla Bouvet|Isola Bouvet|Bouveteiland|Ilha Bouvet|Wyspa Bouveta
BW Botswana|Botsuana
BY Belarus|Biélorussie|Bielorrusia|Bielorussia|Bielorrússia|Białoruś|Беларусь
BZ Belize|Belice
CA Canada|Kanada|ᑳᓇᑕ
CC Cocos (Keeling) Islands|Kokosinseln|Îles Cocos|Islas Cocos|Isole Cocos (Keeling)|Cocoseilanden
CC Ilhas Cocos (Keeling)|Wyspy Kokosowe
CD Congo - Kinshasa|Kongo-Kinshasa|República Democrática del Congo|Demokratyczna Republika Konga
CD Republíki ya Kongó Demokratíki|Jamhuri ya Kidemokrasia ya Kongo|Ditunga wa Kongu
CF Central African Republic|Zentralafrikanische Republik|République centrafricaine|República Centroafricana
CF Repubblica Centrafricana|Centraal-Afrikaanse Republiek|Republika Środkowoafrykańska
CF Repibiki ya Afríka ya Káti|Ködörösêse tî Bêafrîka
CG Congo - Brazzaville|Kongo-Brazzaville|Congo|República do Congo|Kongo
CH Switzerland|Schweiz|Suisse|Suiza|Svizzera|Zwitserland|Suíça|Szwajcaria|Schwiz|Schwiiz|Svizra
CI Côte d’Ivoire|Costa d’Avorio|Ivoorkust|Costa do Marfim
CK Cook Islands|Cookinseln|Îles Cook|Islas Cook|Isole Cook|Cookeilanden|Ilhas Cook|Wyspy Cooka
CL Chile|Chili|Cile
CM Cameroon|Kamerun|Cameroun|Camerún|Kameroen|Camarões|Kamɛlûn|Kameruun|Kamərún|kamɛrún|Kàmàlûŋ|Kàmalûm
CM Kamalun|kameruŋ|Kemelún|𞤑𞤢𞤥𞤢𞤪𞤵𞥅𞤲
CN China|Chine|Cina|Chiny|中国|중국|རྒྱ་ནག|ꍏꇩ|中华人民共和国|中國|Cunghgoz|جۇڭگو
CO Colombia|Kolumbien|Colombie|Kolumbia|Kurũbiya
CR Costa Rica|Kostaryka
CU Cuba|Kuba
CV Cape Verde|Cabo Verde|Cap-Vert|Capo Verde|Kaapverdië|Republika Zielonego Przylądka|Kabu Verdi
CW Curaçao|Curazao
CX Christmas Island|Weihnachtsinsel|Île Christmas|Isla de Navidad|Isola Christmas|Christmaseiland
CX Ilha Christmas|Wyspa Bożego Narodzenia
CY Cyprus|Zypern|Chypre|Chipre|Cipro|Cypr|Kıbrıs|Κύπρος
CZ Czechia|Tschechien|Tchéquie|Chequia|Cechia|Tsjechië|Tchéquia|Czechy|Česko
DE Germany|Deutschland|Allemagne|Alemania|Germania|Duitsland|Alemanha|Niemcy|Nimska|Doütschland|Němska
DE Düütschland
DJ Djibouti|Dschibuti|Yibuti|Gibuti|Djibuti|Dżibuti|جيبوتي|Jabuuti
DK Denmark|Dänemark|Dinamarca|Danimarca|Denemarken|Dania|Danmark
DM Dominica|Dominique|Dominika
DO Dominican Republic|Dominikanische Republik|République dominicaine|República Dominicana
DO Repubblica Dominicana|Dominicaanse Republiek|Dominikana
DZ Algeria|Algerien|Algérie|Argelia|Algerije|Algieria|الجزائر|Lezzayer
EC Ecuador|Équateur|Equador|Ekwador
EE Estonia|Estland|Estonie|Eesti
EG Egypt|Ägypten|Égypte|Egipto|Egitto|Egito|Egipt|مصر
EH Western Sahara|Westsahara|Sahara occidental|Sahara Occidentale|Westelijke Sahara|Saara Ocidental
EH Sahara Zachodnia|الصحراء الغربية
ER Eritrea|Érythrée|Eritreia|Erytrea|إريتريا|ኤርትራ
ES Spain|Spanien|Espagne|España|Spagna|Spanje|Espanha|Hiszpania|Espanya|Espainia
ET Ethiopia|Äthiopien|Éthiopie|Etiopía|Itoophiyaa|ኢትዮጵያ|Itoobiya
FI Finland|Finnland|Finlande|Finlandia|Suomâ|Suomi|Suopma
FJ Fiji|Fidschi|Fidji|Fiyi|Figi|Fidżi
FK Falkland Islands|Falklandinseln|Îles Malouines|Islas Malvinas|Isole Falkland|Falklandeilanden
FK Ilhas Malvinas|Falklandy
FM Micronesia|Mikronesien|Micronésie|Mikronezja
FO Faroe Islands|Färöer|Îles Féroé|Islas Feroe|Isole Fær Øer|Faeröer|Ilhas Faroé|Wyspy Owcze|Føroyar
FR France|Frankreich|Francia|Frankrijk|França|Francja|Frañs|Frankriich
GA Gabon|Gabun|Gabão
GB United Kingdom|Vereinigtes Königreich|Royaume-Uni|Reino Unido|Regno Unito|Verenigd Koninkrijk
GB Wielka Brytania|Y Deyrnas Unedig|An Rìoghachd Aonaichte|an Ríocht Aontaithe|Rywvaneth Unys
GD Grenada|Grenade|Granada
GE Georgia|Georgien|Géorgie|Gruzja|Гуырдзыстон|საქართველო
GF French Guiana|Französisch-Guayana|Guyane française|Guayana Francesa|Guyana Francese|Frans-Guyana
GF Guiana Francesa|Gujana Francuska
GG Guernsey|Guernesey
GH Ghana|Gana|Ghana nutome|Ganaa|Gaana|𞤘𞤢𞤲𞤢
GI Gibraltar|Gibilterra
GL Greenland|Grönland|Groenland|Groenlandia|Grenlandia|Kalaallit Nunaat|Grønland
GM Gambia|Gambie|Gammbi|𞤘𞤢𞤥𞤦𞤭𞤴𞤢
GN Guinea|Guinée|Guiné|Gwinea|Gine|ߖߌ߬ߣߍ߫|𞤘𞤭𞤲𞤫
GP Guadeloupe|Guadalupe|Guadalupa|Gwadelupa
GQ Equatorial Guinea|Äquatorialguinea|Guinée équatoriale|Guinea Ecuatorial|Guinea Equatoriale
GQ Equatoriaal-Guinea|Guiné Equatorial|Gwinea Równikowa
GR Greece|Griechenland|Grèce|Grecia|Griekenland|Grecja|Ελλάδα
GS South Georgia & South Sandwich Islands|Südgeorgien und die Südlichen Sandwichinseln
GS Géorgie du Sud-et-les Îles Sandwich du Sud|Islas Georgia del Sur y Sandwich del Sur
GS Georgia del Sud e Sandwich Australi|Zuid-Georgia en Zuidelijke Sandwicheilanden
GS Ilhas Geórgia do Sul e Sandwich do Sul|Georgia Południowa i Sandwich Południowy
GT Guatemala|Gwatemala
GU Guam
GW Guinea-Bissau|Guinée-Bissau|Guinea-Bisáu|Guiné-Bissau|Gwinea Bissau|Gine-Bisaawo|𞤘𞤭𞤲𞤫-𞤄𞤭𞤧𞤢𞤱𞤮𞥅
GY Guyana|Guiana|Gujana
HK Hong Kong SAR China|Sonderverwaltungsregion Hongkong|R.A.S. chinoise de Hong Kong|RAE de Hong Kong (China)
HK RAS di Hong Kong|Hongkong SAR van China|Hong Kong, RAE da China|SRA Hongkong (Chiny)|中國香港特別行政區
HK 中国香港特别行政区
HM Heard & McDonald Islands|Heard und McDonaldinseln|Îles Heard-et-MacDonald|Islas Heard y McDonald
HM Isole Heard e McDonald|Heard en McDonaldeilanden|Ilhas Heard e McDonald|Wyspy Heard i McDonalda
HN Honduras
HR Croatia|Kroatien|Croatie|Croacia|Croazia|Kroatië|Chorwacja|Hrvatska
HT Haiti
HU Hungary|Ungarn|Hongrie|Hungría|Ungheria|Hongarije|Węgry|Magyarország
ID Indonesia|Indonesien|Indonésie|Indonezja
IE Ireland|Irland|Irlande|Irlanda|Ierland|Irlandia|Éire
IL Israel|Israele|Izrael|إسرائيل|ישראל
IM Isle of Man|Île de Man|Isla de Man|Isola di Man|Ilha de Man|Wyspa Man|Ellan Vannin
IN India|Indien|Inde|Indie|भारत|بھارت|ہِندوستان|ᱤᱱᱰᱤᱭᱟ|རྒྱ་གར་|बारत|ਭਾਰਤ|ڀارت|Bharot|ଭାରତ|భారతదేశం|Bharat
IN ഇന്ത്യ|ಭಾರತ|ইন্দিয়া|ବାରତ|இந்தியா|𑄞𑄢𑄧𑄖𑄴|ভাৰত|ভারত|हिंदोस्तान|ભારત|బారతదెసాం
IO British Indian Ocean Territory|Britisches Territorium im Indischen Ozean
IO Territoire britannique de l’océan Indien|Territorio Británico del Océano Índico
IO Territorio Britannico dell’Oceano Indiano|Brits Indische Oceaanterritorium
IO Território Britânico do Oceano Índico|Brytyjskie Terytorium Oceanu Indyjskiego
IQ Iraq|Irak|Iraque|العراق|ܥܝܪܩ|عێراق
IR Iran|Irã|ئێران|ایران
IS Iceland|Island|Islande|Islandia|Islanda|IJsland
IT Italy|Italien|Italie|Italia|Włochy
JE Jersey
JM Jamaica|Jamaika|Jamaïque|Giamaica|Jamajka
JO Jordan|Jordanien|Jordanie|Jordania|Giordania|الأردن
JP Japan|Japon|Giappone|Japão|Japonia|日本
KE Kenya|Kenia|Quênia|Emetab Kenya|Keeniyaa
KG Kyrgyzstan|Kirgisistan|Kirghizstan|Kirguistán|Kirghizistan|Kirgizië|Quirguistão|Kirgistan|Кыргызстан
KG Киргизия
KH Cambodia|Kambodscha|Cambodge|Camboya|Cambogia|Cambodja|Camboja|Kambodża|កម្ពុជា
KI Kiribati|Quiribati
KM Comoros|Komoren|Comores|Comoras|Comore|Comoren|Komory|جزر القمر
KN St. Kitts & Nevis|St. Kitts und Nevis|Saint-Christophe-et-Niévès|San Cristóbal y Nieves|Saint Kitts e Nevis
KN Saint Kitts en Nevis|São Cristóvão e Névis|Saint Kitts i Nevis
KP North Korea|Nordkorea|Corée du Nord|Corea del Norte|Corea del Nord|Noord-Korea|Coreia do Norte
KP Korea Północna|조선민주주의인민공화국
KR South Korea|Südkorea|Corée du Sud|Corea del Sur|Corea del Sud|Zuid-Korea|Coreia do Sul|Korea Południowa
KR 대한민국
KW Kuwait|Koweït|Koeweit|Kuwejt|الكويت
KY Cayman Islands|Kaimaninseln|Îles Caïmans|Islas Caimán|Isole Cayman|Kaaimaneilanden|Ilhas Cayman|Kajmany
KZ Kazakhstan|Kasachstan|Kazajistán|Kazakistan|Kazachstan|Cazaquistão|Қазақстан|Казахстан
LA Laos|ລາວ
LB Lebanon|Libanon|Liban|Líbano|لبنان
LC St. Lucia|Sainte-Lucie|Santa Lucía|Saint Lucia
LI Liechtenstein|Liächteschtäi
LK Sri Lanka|ශ්‍රී ලංකාව|இலங்கை
LR Liberia|Liberiyaa|ꕞꔤꔫꕩ|𞤂𞤢𞤦𞤭𞤪𞤭𞤴𞤢𞥄|Laibhiya
LS Lesotho|Lesoto
LT Lithuania|Litauen|Lituanie|Lituania|Litouwen|Litwa|Lietuva
LU Luxembourg|Luxemburg|Luxemburgo|Lussemburgo|Luksemburg|Lëtzebuerg
LV Latvia|Lettland|Lettonie|Letonia|Lettonia|Letland|Łotwa|Latvija
LY Libya|Libyen|Libye|Libia|Libië|ليبيا
MA Morocco|Marokko|Maroc|Marruecos|Marocco|Marrocos|Maroko|lmɣrib|ⵍⵎⵖⵔⵉⴱ|المغرب|Meṛṛuk
MC Monaco|Monako
MD Moldova|Republik Moldau|Moldavie|Moldavia|Mołdawia|Republica Moldova|Молдова
ME Montenegro|Czarnogóra|Црна Гора|Crna Gora
MF St. Martin|Saint-Martin|San Martín|São Martinho
MG Madagascar|Madagaskar|Madagasikara
MH Marshall Islands|Marshallinseln|Îles Marshall|Islas Marshall|Isole Marshall|Marshalleilanden|Ilhas Marshall
MH Wyspy Marshalla
MK North Macedonia|Nordmazedonien|Macédoine du Nord|Macedonia del Norte|Macedonia del Nord|Noord-Macedonië
MK Macedônia do Norte|Macedonia Północna|Северна Македонија|Maqedonia e Veriut
ML Mali|Maali
MM Myanmar (Burma)|Myanmar|Myanmar (Birmanie)|Myanmar (Birmania)|Myanmar (Birma)|Mianmar (Birmânia)
MM Mjanma (Birma)|မြန်မာ
MN Mongolia|Mongolei|Mongolie|Монгол
MO Macao SAR China|Sonderverwaltungsregion Macau|R.A.S. chinoise de Macao|RAE de Macao (China)|RAS di Macao
MO Macau SAR van China|Macau, RAE da China|SRA Makau (Chiny)|中國澳門特別行政區|中国澳门特别行政区
MP Northern Mariana Islands|Nördliche Marianen|Îles Mariannes du Nord|Islas Marianas del Norte
MP Isole Marianne Settentrionali|Noordelijke Marianen|Ilhas Marianas do Norte|Mariany Północne
MQ Martinique|Martinica|Martynika
MR Mauritania|Mauretanien|Mauritanie|Mauretania|Muritani|موريتانيا|𞤃𞤮𞤪𞤼𞤢𞤲𞤭𞥅
MS Montserrat
MT Malta|Malte
MU Mauritius|Maurice|Mauricio|Moris
MV Maldives|Malediven|Maldivas|Maldive|Maldiven|Malediwy
MW Malawi|Malaui
MX Mexico|Mexiko|Mexique|Messico|Meksyk
MY Malaysia|Malaisie|Malasia|Maleisië|Malezja|馬來西亞|மலேசியா|马来西亚
MZ Mozambique|Mosambik|Mozambico|Moçambique|Mozambik|oMosambikhi|Umozambiki
NA Namibia|Namibie|Namibiab
NC New Caledonia|Neukaledonien|Nouvelle-Calédonie|Nueva Caledonia|Nuova Caledonia|Nieuw-Caledonië
NC Nova Caledônia|Nowa Kaledonia
NE Niger|Nijeer|Nijar|Nižer|𞤐𞤭𞥅𞤶𞤫𞤪
NF Norfolk Island|Norfolkinsel|Île Norfolk|Isla Norfolk|Isola Norfolk|Norfolk|Ilha Norfolk
NG Nigeria|Nijeriyaa|Nàìjíríà|Nijeriya|𞤐𞤢𞤶𞤫𞤪𞤭𞤴𞤢𞥄
NI Nicaragua|Nikaragua
NL Netherlands|Niederlande|Pays-Bas|Países Bajos|Paesi Bassi|Nederland|Países Baixos|Holandia|Nederlân
NL Nedderlannen
NO Norway|Norwegen|Norvège|Noruega|Norvegia|Noorwegen|Norwegia|Norge|Noreg|Norga
NP Nepal|नेपाल
NR Nauru
NU Niue
NZ New Zealand|Neuseeland|Nouvelle-Zélande|Nueva Zelanda|Nuova Zelanda|Nieuw-Zeeland|Nova Zelândia
NZ Nowa Zelandia|Aotearoa
OM Oman|Omã|عُمان
PA Panama
PE Peru|Pérou
PF French Polynesia|Französisch-Polynesien|Polynésie française|Polinesia Francesa|Polinesia Francese
PF Frans-Polynesië|Polinezja Francuska
PG Papua New Guinea|Papua-Neuguinea|Papouasie-Nouvelle-Guinée|Papúa Nueva Guinea|Papua Nuova Guinea
PG Papoea-Nieuw-Guinea|Papua-Nova Guiné|Papua-Nowa Gwinea
PH Philippines|Philippinen|Filipinas|Filippine|Filipijnen|Filipiny|Pilipinas
PK Pakistan|Paquistão|پاکستان|Pákestán|ਪਾਕਿਸਤਾਨ|پاڪستان
PL Poland|Polen|Pologne|Polonia|Polska
PM St. Pierre & Miquelon|St. Pierre und Miquelon|Saint-Pierre-et-Miquelon|San Pedro y Miquelón
PM Saint-Pierre e Miquelon|Saint-Pierre en Miquelon|São Pedro e Miquelão|Saint-Pierre i Miquelon
PN Pitcairn Islands|Pitcairninseln|Îles Pitcairn|Islas Pitcairn|Isole Pitcairn|Pitcairneilanden|Ilhas Pitcairn
PN Pitcairn
PR Puerto Rico|Porto Rico|Portoryko
PS Palestinian Territories|Palästinensische Autonomiegebiete|Territoires palestiniens|Territorios Palestinos
PS Territori Palestinesi|Palestijnse gebieden|Terytoria Palestyńskie|الأراضي الفلسطينية
PT Portugal|Portogallo|Portugalia
PW Palau|Palaos
PY Paraguay|Paraguai|Paragwaj
QA Qatar|Katar|Catar|قطر
RE Réunion|La Réunion|Riunione|Reunião
RO Romania|Rumänien|Roumanie|Rumanía|Roemenië|Romênia|Rumunia
RS Serbia|Serbien|Serbie|Servië|Sérvia|Србија|Srbija
RU Russia|Russland|Russie|Rusia|Rusland|Rosja|Россия|Росси|Раҫҫей|Уӕрӕсе|Арассыыйа
RW Rwanda|Ruanda|U Rwanda
SA Saudi Arabia|Saudi-Arabien|Arabie saoudite|Arabia Saudí|Arabia Saudita|Saoedi-Arabië|Arabia Saudyjska
SA المملكة العربية السعودية
SB Solomon Islands|Salomonen|Îles Salomon|Islas Salomón|Isole Salomone|Salomonseilanden|Ilhas Salomão
SB Wyspy Salomona|Solomon Aelan
SC Seychelles|Seychellen|Seicheles|Seszele
SD Sudan|Soudan|Soedan|Sudão|السودان
SE Sweden|Schweden|Suède|Suecia|Svezia|Zweden|Szwecja|Ruoŧŧa|Sverige
SG Singapore|Singapur|Singapour|Singapura|新加坡|சிங்கப்பூர்
SH St. Helena|Sainte-Hélène|Santa Elena|Sant’Elena|Sint-Helena|Santa Helena|Wyspa Świętej Heleny
SI Slovenia|Slowenien|Slovénie|Eslovenia|Słowenia|Slovenija
SJ Svalbard & Jan Mayen|Spitzbergen und Jan Mayen|Svalbard et Jan Mayen|Svalbard y Jan Mayen
SJ Svalbard e Jan Mayen|Spitsbergen en Jan Mayen|Svalbard i Jan Mayen|Svalbard og Jan Mayen
SK Slovakia|Slowakei|Slovaquie|Eslovaquia|Slovacchia|Slowakije|Słowacja|Slovensko
SL Sierra Leone|Sierra Leona|Serra Leoa|Seraa liyon|𞤅𞤢𞤪𞤢𞤤𞤮𞤲
SM San Marino|Saint-Marin
SN Senegal|Senegaal|𞤅𞤫𞤲𞤫𞤺𞤢𞥄𞤤
SO Somalia|Somalie|الصومال|Soomaaliya
SR Suriname|Surinam
SS South Sudan|Südsudan|Soudan du Sud|Sudán del Sur|Zuid-Soedan|Sudão do Sul|Sudan Południowy|جنوب السودان
ST São Tomé & Príncipe|São Tomé und Príncipe|Sao Tomé-et-Principe|Santo Tomé y Príncipe|São Tomé e Príncipe
ST Sao Tomé en Principe|Wyspy Świętego Tomasza i Książęca
SV El Salvador|Salvador|Salwador
SX Sint Maarten|Saint-Martin (partie néerlandaise)
SY Syria|Syrien|Syrie|Siria|سوريا|ܣܘܪܝܐ
SZ Eswatini|Esuatini|Essuatíni
TC Turks & Caicos Islands|Turks- und Caicosinseln|Îles Turques-et-Caïques|Islas Turcas y Caicos
TC Isole Turks e Caicos|Turks- en Caicoseilanden|Ilhas Turcas e Caicos|Turks i Caicos
TD Chad|Tschad|Tchad|Ciad|Tsjaad|Chade|Czad|تشاد
TF French Southern Territories|Französische Süd- und Antarktisgebiete|Terres australes françaises
TF Territorios Australes Franceses|Terre Australi Francesi|Franse Gebieden in de zuidelijke Indische Oceaan
TF Territórios Franceses do Sul|Francuskie Terytoria Południowe i Antarktyczne
TG Togo|Togo nutome
TH Thailand|Thaïlande|Tailandia|Thailandia|Tajlandia|ไทย
TJ Tajikistan|Tadschikistan|Tadjikistan|Tayikistán|Tagikistan|Tadzjikistan|Tadjiquistão|Tadżykistan|Тоҷикистон
TK Tokelau
TL Timor-Leste|Timor oriental|Timor Est|Oost-Timor|Timor Wschodni
TM Turkmenistan|Turcomenistão
TN Tunisia|Tunesien|Tunisie|Túnez|Tunesië|Tunezja|تونس
TO Tonga
TR Türkiye|Türkei|Turquie|Turquía|Turchia|Turkije|Turcja|Tirkîye
TT Trinidad & Tobago|Trinidad und Tobago|Trinité-et-Tobago|Trinidad y Tobago|Trinidad e Tobago
TT Trinidad en Tobago|Trynidad i Tobago
TV Tuvalu
TW Taiwan|Tajwan|台灣
TZ Tanzania|Tansania|Tanzanie|Tansaniya|Hutanzania|Taansanía|Tadhania
UA Ukraine|Ucrania|Ucraina|Oekraïne|Ukraina|Україна|Украина|אוקראַינע
UG Uganda|Ouganda|Oeganda|Yuganda
UM U.S. Outlying Islands|Amerikanische Überseeinseln|Îles mineures éloignées des États-Unis
UM Islas menores alejadas de EE. UU.|Isole Minori Esterne degli Stati Uniti
UM Kleine afgelegen eilanden van de Verenigde Staten|Ilhas Menores Distantes dos EUA
UM Dalekie Wyspy Mniejsze Stanów Zjednoczonych
US United States|Vereinigte Staaten|États-Unis|Estados Unidos|Stati Uniti|Verenigde Staten|Stany Zjednoczone
US ʻAmelika Hui Pū ʻIa|ᏌᏊ ᎢᏳᎾᎵᏍᏔᏅ ᏍᎦᏚᎩ|Mílahaŋska Tȟamákȟočhe
UY Uruguay|Uruguai|Urugwaj
UZ Uzbekistan|Usbekistan|Ouzbékistan|Oezbekistan|Uzbequistão|Oʻzbekiston|Ўзбекистон
VA Vatican City|Vatikanstadt|État de la Cité du Vatican|Ciudad del Vaticano|Città del Vaticano|Vaticaanstad
VA Cidade do Vaticano|Watykan
VC St. Vincent & Grenadines|St. Vincent und die Grenadinen|Saint-Vincent-et-les Grenadines
VC San Vicente y las Granadinas|Saint Vincent e Grenadine|Saint Vincent en de Grenadines
VC São Vicente e Granadinas|Saint Vincent i Grenadyny|St Vincent & the Grenadines
VE Venezuela|Wenezuela|Wenesuera
VG British Virgin Islands|Britische Jungferninseln|Îles Vierges britanniques|Islas Vírgenes Británicas
VG Isole Vergini Britanniche|Britse Maagdeneilanden|Ilhas Virgens Britânicas|Brytyjskie Wyspy Dziewicze
VI U.S. Virgin Islands|Amerikanische Jungferninseln|Îles Vierges des États-Unis|Islas Vírgenes de EE. UU.
VI Isole Vergini Americane|Amerikaanse Maagdeneilanden|Ilhas Virgens Americanas
VI Wyspy Dziewicze Stanów Zjednoczonych
VN Vietnam|Vietnã|Wietnam
VU Vanuatu
WF Wallis & Futuna|Wallis und Futuna|Wallis-et-Futuna|Wallis y Futuna|Wallis e Futuna|Wallis en Futuna
WF Wallis i Futuna
WS Samoa
YE Yemen|Jemen|Iêmen|اليمن
YT Mayotte|Majotta
ZA South Africa|Südafrika|Afrique du Sud|Sudáfrica|Zuid-Afrika|África do Sul|Republika Południowej Afryki
ZA Afrika Borwa|EMzantsi Afrika|iNingizimu Afrika|Suid-Afrika|Aforika Borwa
ZM Zambia|Sambia|Zambie
ZW Zimbabwe|Simbabwe|Zimbabue
"""
"""A line of a code and its names, or several: in English, German, French, Spanish, Italian, Dutch, Portuguese and
Polish, and in the languages of the country itself. Of names that differ in case or accents alone there is one.
"""
