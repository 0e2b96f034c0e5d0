# PS3.16 2024c: regions with Annex L, and context groups; written by scripts/gen_codes.py; do not edit.
from __future__ import annotations

EDITION = "2024c"

# CID 4: [scheme:]code|meaning|Body Part Examined|paired Y N|X: CID 4009, E: CID 4040, V: CID 3010
REGIONS = """\
818981001|Abdomen|ABDOMEN|N|X
818982008|Abdomen and Pelvis|ABDOMENPELVIS|N|X
7832008|Abdominal aorta|ABDOMINALAORTA|N|V
85856004|Acromioclavicular joint|ACJOINT|Y|X
23451007|Adrenal gland|ADRENAL|Y|
70258002|Ankle joint|ANKLE|Y|X
128585006|Anomalous pulmonary vein||N|V
128553008|Antecubital vein|ANTECUBITALV|Y|V
194996006|Anterior cardiac vein|ANTCARDIACV|N|V
8012006|Anterior communicating artery|ANTCOMMA|N|V
17388009|Anterior spinal artery|ANTSPINALA|N|V
68053000|Anterior tibial artery|ANTTIBIALA|Y|V
53505006|Anus|||X
110612005|Anus, rectum and sigmoid colon|ANUSRECTUMSIGMD|N|E
15825003|Aorta|AORTA|N|V
57034009|Aortic arch|AORTICARCH|N|V
128551005|Aortic fistula||N|V
128564006|Apex of left ventricle||N|V
86598002|Apex of Lung||Y|X
128565007|Apex of right ventricle||N|V
51114001|Artery|ARTERY|Y|V
54247002|Ascending aorta|ASCAORTA|N|V
59652004|Atrium||Y|
91470000|Axilla|AXILLA|Y|
67937003|Axillary Artery|AXILLARYA|Y|V
68705008|Axillary vein|AXILLARYV|Y|V
72107004|Azygos vein|AZYGOSVEIN|N|V
77568009|Back|BACK|N|
128981007|Baffle||N|V
59011009|Basilar artery|BASILARA|N|V
28273000|Bile duct|BILEDUCT|N|XE
34707002|Biliary tract|BILIARYTRACT|N|XE
89837001|Bladder|BLADDER|N|XE
110837003|Bladder and urethra|BLADDERURETHRA|N|E
91830000|Body conduit||N|V
72001000|Bone of lower limb|||X
371195002|Bone of upper limb|||X
128548003|Boyd's perforating vein||Y|V
17137000|Brachial artery|BRACHIALA|Y|V
20115005|Brachial vein|BRACHIALV|Y|V
12738006|Brain|BRAIN|N|
76752008|Breast|BREAST|Y|X
34411009|Broad ligament||N|
955009|Bronchus|BRONCHUS|Y|XE
46862004|Buttock|BUTTOCK|Y|
80144004|Calcaneus|CALCANEUS|Y|X
2334006|Calyx||N|
69105007|Carotid Artery|CAROTID|Y|V
20699002|Cephalic vein|CEPHALICV|Y|V
113305005|Cerebellum|CEREBELLUM|Y|
88556005|Cerebral artery|CEREBRALA|Y|V
122494005|Cervical spine|CSPINE|N|X
1217257000|Cervico-thoracic spine|CTSPINE|N|X
71252005|Cervix|CERVIX|N|E
60819002|Cheek|CHEEK|Y|
816094009|Chest|CHEST|N|X
416550000|Chest and Abdomen|CHESTABDOMEN|N|X
416775004|Chest, Abdomen and Pelvis|CHESTABDPELVIS|N|X
11279006|Circle of Willis|CIRCLEOFWILLIS|N|
51299004|Clavicle|CLAVICLE|Y|X
64688005|Coccyx|COCCYX|N|X
71854001|Colon|COLON|N|X
253276007|Common atrium||N|V
79741001|Common bile duct|COMMONBILEDUCT|N|XE
32062004|Common carotid artery|CCA|Y|V
181347005|Common Femoral Artery|CFA|Y|V
73634005|Common iliac artery|COMILIACA|Y|V
46027005|Common iliac vein|COMILIACV|Y|V
45503006|Common ventricle||N|V
128555001|Congenital coronary artery fistula to left atrium||N|V
128556000|Congenital coronary artery fistula to left ventricle||N|V
128557009|Congenital coronary artery fistula to right atrium||N|V
128558004|Congenital coronary artery fistula to right ventricle||N|V
28726007|Cornea|CORNEA|Y|
41801008|Coronary artery|CORONARYARTERY|N|V
90219004|Coronary sinus|CORONARYSINUS|N|V
128320002|Cranial venous system|||
32672002|Descending aorta|DESCAORTA|N|V
128554002|Dodd's perforating vein||Y|V
38848004|Duodenum|DUODENUM|N|X
117590005|Ear|EAR|Y|
16953009|Elbow joint|ELBOW|Y|X
53342003|Endo-nasal|ENDONASAL|N|
18962004|Endo-nasopharyngeal|ENDONASOPHARYNYX|N|
76784001|Endo-vaginal|ENDOVAGINAL|N|
59820001|Endo-vascular|ENDOVASCULAR|N|
48367006|Endo-vesical|ENDOVESICAL|N|
38266002|Entire body|WHOLEBODY|N|X
27947004|Epigastric region|EPIGASTRIC|N|
32849002|Esophagus|ESOPHAGUS|N|X
110861005|Esophagus, stomach and duodenum||N|XE
84301002|External auditory canal|EAC|Y|E
22286001|External carotid artery|ECA|Y|V
113269004|External iliac artery|EXTILIACA|Y|V
63507001|External iliac vein|EXTILIACV|Y|V
66019005|Extremity|EXTREMITY|Y|X
81745001|Eye|EYE|Y|X
371398005|Eye region|||X
80243003|Eyelid|EYELID|Y|
89545001|Face|FACE|N|
23074001|Facial artery|FACIALA|Y|V
91397008|Facial bones||N|X
7657000|Femoral artery|FEMORALA|Y|V
83419000|Femoral vein|FEMORALV|Y|V
71341001|Femur|FEMUR|Y|X
87342007|Fibula|FIBULA||X
7569003|Finger|FINGER|Y|X
58602004|Flank|FLANK|N|
79361005|Fontanel of skull|FONTANEL|N|
56459004|Foot|FOOT|Y|X
14975008|Forearm|FOREARM|Y|X
28231008|Gallbladder|GALLBLADDER|N|XE
110568007|Gastric vein|GASTRICV|Y|V
128559007|Genicular artery|GENICULARA|Y|V
5928000|Great cardiac vein||N|V
60734001|Great saphenous vein|GSV|Y|V
85562004|Hand|HAND|Y|X
69536005|Head|HEAD|N|X
774007|Head and Neck|HEADNECK|N|X
80891009|Heart|HEART|N|X
76015000|Hepatic artery|HEPATICA|Y|V
8993003|Hepatic vein|HEPATICV|Y|V
29836001|Hip|||X
24136001|Hip Joint|HIP|Y|X
85050009|Humerus|HUMERUS|Y|X
128560002|Hunterian perforating vein||Y|V
11708003|Hypogastric region|HYPOGASTRIC|N|
81502006|Hypopharynx|HYPOPHARYNX|N|
34516001|Ileum|ILEUM|N|X
299716001|Iliac and/or femoral artery||Y|
10293006|Iliac artery|ILIACA|Y|V
244411005|Iliac vein|ILIACV|Y|V
22356005|Ilium|ILIUM|Y|X
195416006|Inferior cardiac vein||N|V
51249003|Inferior left pulmonary vein||N|V
33795007|Inferior mesenteric artery|INFMESA|N|V
113273001|Inferior right pulmonary vein||N|V
64131007|Inferior vena cava|INFVENACAVA|N|V
26893007|Inguinal region|INGUINAL|Y|E
12691009|Innominate artery|INNOMINATEA|N|V
8887007|Innominate vein|INNOMINATEV|Y|V
361078006|Internal Auditory Canal|IAC|Y|X
86117002|Internal carotid artery|ICA|Y|V
90024005|Internal iliac artery|INTILIACA|Y|V
12123001|Internal jugular vein|INTJUGULARV|Y|V
69327007|Internal mammary artery|INTMAMMARYA|Y|V
818987002|Intra-abdominopelvic||N|E
131183008|Intra-articular||N|
816989007|Intra-pelvic||N|E
43799004|Intra-thoracic|||E
1101003|Intracranial|INTRACRANIAL|N|
661005|Jaw region|JAW|N|X
21306003|Jejunum|JEJUNUM|N|X
39352004|Joint|JOINT|Y|E
128563000|Juxtaposed atrial appendage||N|V
64033007|Kidney|KIDNEY||E
72696002|Knee|KNEE|Y|XE
59749000|Lacrimal artery|LACRIMALA|Y|V
128979005|Lacrimal artery of right eye||N|V
14742008|Large intestine|LARGEINTESTINE|N|XE
4596009|Larynx|LARYNX|N|XE
82471001|Left atrium|LATRIUM|N|V
33626005|Left auricular appendage||N|V
113270003|Left femoral artery|LFEMORALA|N|V
133945003|Left hypochondriac region|LHYPOCHONDRIAC|N|
85119005|Left inguinal region|LINGUINAL|N|
68505006|Left lower quadrant of abdomen|LLQ|N|
1017210004|Left lumbar region|LLUMBAR|N|
50408007|Left pulmonary artery|LPULMONARYA|N|V
86367003|Left upper quadrant of abdomen|LUQ|N|
87878005|Left ventricle|LVENTRICLE|N|V
70238003|Left ventricle inflow||N|V
13418002|Left ventricle outflow tract||N|V
113264009|Lingual artery|LINGUALA|Y|V
10200004|Liver|LIVER|N|
303270005|Liver and biliary structure|||X
19100000|Lower inner quadrant of breast||Y|
30021000|Lower leg|LOWERLEG|Y|X
61685007|Lower limb|LOWERLIMB||X
33564002|Lower outer quadrant of breast||Y|
34635009|Lumbar artery|LUMBARA|Y|V
52612000|Lumbar region|LUMBAR|Y|
122496007|Lumbar spine|LSPINE|N|X
1217253001|Lumbo-sacral spine|LSSPINE|N|X
91747007|Lumen of blood vessel|LUMEN|N|E
39607008|Lung|LUNG|Y|
91609006|Mandible|MANDIBLE|N|X
59066005|Mastoid bone|MASTOID|Y|X
70925003|Maxilla|MAXILLA|Y|X
72410000|Mediastinum|MEDIASTINUM|N|XE
86570000|Mesenteric artery|MESENTRICA|N|V
128583004|Mesenteric vein|MESENTRICV|N|V
123851003|Mouth|MOUTH|N|
102292000|Muscle of lower limb|||X
30608006|Muscle of upper limb|||X
74386004|Nasal bone||Y|X
360955006|Nasopharynx|NASOPHARYNX|N|E
45048000|Neck|NECK|N|X
417437006|Neck and Chest|NECKCHEST|N|X
416152001|Neck, Chest and Abdomen|NECKCHESTABDOMEN|N|X
416319003|Neck, Chest, Abdomen and Pelvis|NECKCHESTABDPELV|N|X
45206002|Nose|NOSE|N|
31145008|Occipital artery|OCCPITALA|Y|V
32114007|Occipital vein|OCCIPTALV|Y|V
113346000|Omental bursa||N|
27398004|Omentum||N|
53549008|Ophthalmic artery|OPHTHALMICA|Y|V
55024004|Optic canal|OPTICCANAL|Y|X
363654007|Orbital structure|ORBIT|Y|X
15497006|Ovary|OVARY|Y|
15776009|Pancreas|PANCREAS|N|X
69930009|Pancreatic duct|PANCREATICDUCT|N|XE
110621006|Pancreatic duct and bile duct systems|PANCBILEDUCT|N|XE
2095001|Paranasal sinus||Y|XE
91691001|Parasternal|PARASTERNAL|N|
111002|Parathyroid|PARATHYROID|Y|
45289007|Parotid gland|PAROTID|Y|X
64234005|Patella|PATELLA|Y|X
83330001|Patent ductus arteriosus||N|V
816092008|Pelvis|PELVIS|N|X
1231522001|Pelvis and lower extremities|PELVISLOWEXTREMT|N|X
18911002|Penis|PENIS|N|
38864007|Perineum|PERINEUM|N|
8821006|Peroneal artery|PERONEALA|Y|V
706342009|Phantom|PHANTOM||X
54066008|Pharynx|PHARYNX|N|E
312535008|Pharynx and larynx|PHARYNXLARYNX|N|E
43899006|Popliteal artery|POPLITEALA|Y|V
32361000|Popliteal fossa|POPLITEALFOSSA|Y|
32764006|Portal vein|PORTALV|N|V
43119007|Posterior communication artery|POSCOMMA|Y|V
128569001|Posterior medial tributary||N|V
13363002|Posterior tibial artery|POSTIBIALA|Y|V
14944004|Primitive aorta||N|V
91707000|Primitive pulmonary artery||N|V
31677005|Profunda Femoris Artery|PROFFEMA|Y|V
41216001|Prostate|PROSTATE|N|X
111289009|Pulmonary arteriovenous fistula|||V
81040000|Pulmonary artery|PULMONARYA|Y|V
128584005|Pulmonary artery conduit||N|V
128586007|Pulmonary chamber of cor triatriatum||N|V
122972007|Pulmonary vein|PULMONARYV|Y|V
128566008|Pulmonary vein confluence||N|V
128567004|Pulmonary venous atrium||N|V
45631007|Radial artery|RADIALA|Y|V
34402009|Rectum|RECTUM|N|XE
2841007|Renal artery|RENALA|Y|V
25990002|Renal pelvis||Y|
56400007|Renal vein|RENALV|Y|V
82849001|Retroperitoneum|RETROPERITONEUM|N|
113197003|Rib|RIB|Y|X
73829009|Right atrium|RATRIUM|N|V
68300000|Right auricular appendage||N|V
69833005|Right femoral artery|RFEMORALA|N|V
133946002|Right hypochondriac region|RHYPOCHONDRIAC|N|
37117007|Right inguinal region|RINGUINAL|N|
48544008|Right lower quadrant of abdomen|RLQ|N|
1017211000|Right lumbar region|RLUMBAR|N|
78480002|Right pulmonary artery|RPULMONARYA|N|V
50519007|Right upper quadrant of abdomen|RUQ|N|
53085002|Right ventricle|RVENTRICLE|N|V
8017000|Right ventricle inflow||N|V
44627009|Right ventricle outflow tract||N|V
1217254007|Sacro-coccygeal Spine|||X
39723000|Sacroiliac joint|SIJOINT|Y|X
54735007|Sacrum|SSPINE|N|X
128587003|Saphenofemoral junction|SFJ|Y|V
362072009|Saphenous vein|SAPHENOUSV|Y|V
41695006|Scalp|SCALP|N|
79601000|Scapula|SCAPULA|Y|X
18619003|Sclera|SCLERA|Y|
20233005|Scrotum|SCROTUM|Y|
42575006|Sella turcica|SELLA|N|X
58742003|Sesamoid bones of foot|SESAMOID|Y|X
16982005|Shoulder|SHOULDER|Y|XE
60184004|Sigmoid colon|SIGMOID|N|E
89546000|Skull|SKULL|N|X
30315005|Small intestine|SMALLINTESTINE|N|X
2748008|Spinal cord|SPINALCORD|N|
421060004|Spine|SPINE|N|XE
78961009|Spleen|SPLEEN|N|
22083002|Splenic artery|SPLENICA|N|V
35819009|Splenic vein|SPLENICV|N|V
7844006|Sternoclavicular joint|SCJOINT|Y|X
56873002|Sternum|STERNUM|N|X
69695003|Stomach|STOMACH|N|X
36765005|Subclavian artery|SUBCLAVIANA|Y|V
9454009|Subclavian vein|SUBCLAVIANV|Y|V
19695001|Subcostal|SUBCOSTAL|Y|
5713008|Submandibular area||Y|
54019009|Submandibular gland|SUBMANDIBULAR|Y|X
170887008|Submental||N|
5076001|Subxiphoid||N|
181349008|Superficial Femoral Artery|SFA|Y|V
15672000|Superficial temporal artery||Y|V
43863001|Superior left pulmonary vein|LSUPPULMONARYV|N|V
42258001|Superior mesenteric artery|SMA|N|V
8629005|Superior right pulmonary vein|RSUPPULMONARYV|N|V
72021004|Superior thyroid artery|SUPTHYROIDA|Y|V
48345005|Superior vena cava|SVC|N|V
77621008|Supraclavicular region of neck|SUPRACLAVICULAR|Y|
26493002|Suprasternal notch||N|
128589000|Systemic collateral artery to lung||N|V
128568009|Systemic venous atrium||N|V
27949001|Tarsal joint||Y|X
53620006|Temporomandibular joint|TMJ|Y|X
40689003|Testis|TESTIS|Y|
68367000|Thigh|THIGH|Y|X
113262008|Thoracic aorta|THORACICAORTA|N|V
122495006|Thoracic spine|TSPINE|N|X
1217256009|Thoraco-lumbar spine|TLSPINE|N|X
76505004|Thumb|THUMB|Y|X
9875009|Thymus|THYMUS|N|
69748006|Thyroid|THYROID|N|
29707007|Toe|TOE|Y|X
21974007|Tongue|TONGUE|N|
44567001|Trachea|TRACHEA|N|X
110726009|Trachea and bronchus|TRACHEABRONCHUS|N|E
61959006|Truncus arteriosus communis||N|V
57850000|Truncus coeliacus||N|V
44984001|Ulnar artery|ULNARA|Y|V
50536004|Umbilical artery|UMBILICALA|N|V
90290004|Umbilical region|UMBILICAL|N|
284639000|Umbilical vein|UMBILICALV|N|V
40983000|Upper arm|UPPERARM|Y|X
77831004|Upper inner quadrant of breast||Y|
53120007|Upper limb|UPPERLIMB||X
76365002|Upper outer quadrant of breast||Y|
431491007|Upper urinary tract|UPRURINARYTRACT|N|XE
87953007|Ureter|URETER|Y|XE
13648007|Urethra|URETHRA|N|X
35039007|Uterus|UTERUS|N|
110639002|Uterus and fallopian tubes||N|XE
118375008|Vascular graft||N|
29092000|Vein|VEIN|Y|V
35532006|Vena cava|||V
34340008|Venous network||N|V
21814001|Ventricle||Y|
85234005|Vertebral artery|VERTEBRALA|Y|V
110517009|Vertebral column and cranium||N|X
45292006|Vulva|VULVA|N|
74670003|Wrist joint|WRIST|Y|X
13881006|Zygoma|ZYGOMA|Y|X
"""

# CID -> name|version|extensible, then [scheme:]code|meaning; without a scheme it is SCT
GROUPS: dict[int, str] = {
    5: """\
Transducer Approach|20220628|Extensible
24028007|Right
7771000|Left
49370004|Lateral
255549009|Anterior
255551008|Posterior
3583002|Caudal
255561001|Medial
26216008|Central
14414005|Peripheral
261074009|External
260521003|Internal
261089000|Inferior
264217000|Superior
62824007|Transverse
40415009|Proximal
46053002|Distal
43674008|Apical
410679008|Surface
79458005|Ascending
75294000|Descending
71966008|Subcutaneous tissue
18545000|Dura mater
23180006|Pia mater
102322008|External prosthesis for sonographic procedure [Stand-off]
102323003|Water bag prosthesis for imaging procedure
102324009|Saline bag prosthesis for imaging procedure
102325005|Gel prosthesis for imaging procedure
66787007|Cranial
261129000|Midline
103342007|Mid-longitudinal
103343002|Parasagittal
264045001|Intraluminal
11070000|Capsular
113342003|Lumen
11723008|Contact with
91772007|Parenchyma
1197041002|Intercostal
264208000|Subcostal
117133000|First Intercostal Space
117134006|Second Intercostal Space
117135007|Third Intercostal Space
117136008|Fourth Intercostal Space
117137004|Fifth Intercostal Space
117138009|Sixth Intercostal Space
117139001|Seventh Intercostal Space
117140004|Eighth Intercostal Space
117141000|Ninth Intercostal Space
117142007|Tenth Intercostal Space
117143002|Eleventh Intercostal Space
""",
    6: """\
Transducer Orientation|20190817|Extensible
81654009|Coronal
38717003|Longitudinal
30730003|Sagittal
103343002|Parasagittal
21114003|Oblique
103339001|Long axis
103341000|Off axis
103340004|Short axis
398994001|Five chamber
399232001|Two chamber
399214001|Four chamber
62824007|Transverse
""",
    7: """\
Ultrasound Beam Path|20191108|Extensible
103381007|Trans-hepatic
103353001|Trans-gastric
103348006|Trans-pleural
103354007|Trans-mural
129226004|Trans-orbital
103349003|Trans-pancreatic
6706003|Trans-rectal
103347001|Trans-renal
103382000|Trans-temporal
103345009|Trans-thecal
57257006|Trans-urethral
103344008|Trans-vesical
103346005|Trans-splenic
103383005|Trans-esophageal
66739002|Trans-abdominal
54300008|Trans-vaginal
""",
    19: """\
Patient Orientation|20160314|Extensible
102538003|recumbent
102539006|semi-erect
""",
    20: """\
Patient Orientation Modifier|20070524|Extensible
1240000|prone
34026001|semi-prone
32185000|lateral decubitus
10904000|standing
51845000|anatomical
55864004|kneeling
23242002|knee-chest
40199007|supine
14205002|lithotomy
34106002|Trendelenburg
26527006|inverse Trendelenburg
34296003|frog
87068006|stooped-over
33586001|sitting
34108001|curled-up
102535000|right lateral decubitus
102536004|left lateral decubitus
260450008|lordotic
""",
    244: """\
Laterality|20030108|Non-Extensible
51440002|Bilateral
66459002|Unilateral
24028007|Right
7771000|Left
""",
    3629: """\
Procedure Intent|20230630|Extensible
261004008|Diagnostic Intent
262202000|Therapeutic Intent
1279505009|Combined Diagnostic and Therapeutic Intent
DCM:113680|Quality Control Intent
373825000|Staging intent
363675004|Guidance Intent
363676003|Palliative Intent
360156006|Screening Intent
447295008|Forensic Intent
421974008|Adjunct intent
373846009|Adjuvant intent
373808002|Curative intent
373847000|Neo-adjuvant intent
399707004|Supportive intent
129428001|Preventive intent
360271000|Prophylactic intent
""",
    4010: """\
DX View|20160314|Extensible
399033003|frontal
399160007|frontal oblique
399348003|antero-posterior
399312000|antero-posterior oblique
399038007|right posterior oblique
399006002|left posterior oblique
272479007|postero-anterior
399059000|postero-anterior oblique
399356000|right anterior oblique
399135007|left anterior oblique
30730003|sagittal
399260004|medial-lateral
260427002|lateral oblique
399352003|lateral-medial
260426006|medial oblique
399198007|right lateral
399236003|right oblique
399173006|left lateral
399184004|left oblique
399061009|axial
399162004|cranio-caudal
399196006|caudo-cranial
399004004|oblique axial
399288005|oblique cranio-caudal
399225005|oblique caudo-cranial
399132005|frontal-oblique axial
399325008|sagittal-oblique axial
399182000|oblique
399067008|lateral
399110001|tangential
399255003|submentovertical
399360002|verticosubmental
399071006|plantodorsal
399335002|dorsoplantar
399272005|parietoacanthial
399242004|acanthioparietal
399351005|orbitoparietal
399316002|parieto-orbital
399099002|latero-medial oblique
399368009|medio-lateral oblique
119376003|tissue specimen
260499007|Occlusal projection
""",
    4011: """\
DX View Modifier|20070524|Extensible
399196006|cephalad
399162004|caudad
272476000|transthoracic
272466003|transforamenal
118438002|transoral
278318001|transorbital
DCM:111069|Crosstable
286866000|Mouth closed
""",
    4012: """\
Projection Eponymous Name|20170914|Extensible
399142007|Albers-Schonberg
399237007|Alexander
422670003|Apple
399218003|Arcelin
399263002|Beclere
399362005|Bertel
399246001|Blackett-Healy
260492003|Brewerton projection
399344001|Broden
422861003|Burman
399278009|Cahoon
399358004|Caldwell
399212002|Camp-Coventry
399065000|Causton
399148006|Chamberlain
399013002|Chassard-Lapine
399355001|Chausse
399245002|Cleaves
399028002|Clements
399320003|Clements-Nakayama
423091003|Colcher-Sussman
424811006|Danelius-Miller
399303002|Dunlap
424655003|Eraso Modification
399372008|Ferguson
424962005|Fisk
399281004|Fleischner
425157002|Folio
399103007|Friedman
399073009|Fuchs
425188003|Garth
399082003|Gaynor-Hart
399311007|Grandy
399146005|Grashey
399341009|Haas
260493008|Harris Beath axial projection
399199004|Henschen
399277004|Hickey
424086005|Hirtz Modification
399129007|Holly
399285008|Holmblad
399168000|Hough
399083008|Hsieh
399003005|Hughston
399025004|Isherwood
399201002|Judd
260496000|Judet projection
399152006|Kandel
399280003|Kasabach
399227002|Kemp Harper
425030002|Kite
399318001|Kovacs
399080006|Kuchendorf
399332004|Kurzbauer
399156009|Laquerriere-Pierquin
399169008|Lauenstein
399206007|Law
399179005|Lawrence
398996004|Leonard-George
399037002|Lewis
399342002|Lilienfeld
399308006|Lindblom
399251007|Lorenz
399327000|Low-Beer
399370000|Lysholm
399024000|May
399000008|Mayer
399284007|Merchant
399005003|Miller
422568001|Moore
260497009|Mortice projection
422795009|Neer
399002000|Nolke
399157000|Norgaard
399171008|Ottonello
399181007|Pawlow
399365007|Pearson
399138009|Penner
399022001|Pirie
423720000|Rafert
422534007|Rafert-Long
399234000|Rhese
425035007|Robert
425042007|Rosenberg
399290006|Schuller
399243009|Settegast
399098005|Staunig
399292003|Stecher
399349006|Stenvers
422954003|Stryker
399313005|Swanson
399247005|Tarrant
399296000|Taylor
399127009|Teufel
399241006|Titterington
399270002|Towne
399125001|Twining
399330007|Valdini
260506009|Van Rosen projection
260473000|Waters
399130002|West Point
399215000|Wigby-Taylor
422996004|Wolf
399026003|Zanelli
""",
    4014: """\
View for Mammography|20090717|Non-Extensible
399260004|medio-lateral
399368009|medio-lateral oblique
399352003|latero-medial
399099002|latero-medial oblique
399162004|cranio-caudal
399196006|caudo-cranial (from below)
399188001|superolateral to inferomedial oblique
441555000|inferomedial to superolateral oblique
399192008|cranio-caudal exaggerated laterally
399101009|cranio-caudal exaggerated medially
127457009|tissue specimen from breast
""",
    4015: """\
View Modifier for Mammography|20090717|Non-Extensible
399161006|Cleavage
399011000|Axillary Tail
399197002|Rolled Lateral
399226006|Rolled Medial
414493004|Rolled Inferior
415670009|Rolled Superior
399209000|Implant Displaced
399163009|Magnification
399055006|Spot Compression
399110001|Tangential
442581004|Nipple in profile
441752004|Anterior compression
442593008|Infra-mammary fold
442580003|Axillary tissue
""",
    7005: """\
Contributing Equipment Purpose of Reference|20240324|Extensible
DCM:109101|Acquisition Equipment
DCM:109102|Processing Equipment
DCM:109103|Modifying Equipment
DCM:109104|De-identifying Equipment
DCM:109105|Frame Extracting Equipment
DCM:109106|Enhanced Multi-frame Conversion Equipment
DCM:MEDIM|Portable Media Importer Equipment
DCM:FILMD|Film Digitizer
DCM:DOCD|Document Digitizer Equipment
DCM:VIDD|Video Tape Digitizer Equipment
DCM:109100|Synthesizing Equipment
""",
    7201: """\
Referenced Image Purpose of Reference|20220402|Extensible
DCM:121311|Localizer
DCM:121312|Biopsy localizer
DCM:121313|Other partial views
DCM:121314|Other image of biplane pair
DCM:121315|Other image of stereoscopic pair
DCM:121316|Images related to standalone object
DCM:121317|Spectroscopy
DCM:121338|Anatomic image
DCM:121339|Functional image
DCM:121340|Spectral filtered image
DCM:121341|Device localizer
DCM:121346|Acquisition frames corresponding to volume
DCM:121347|Volume corresponding to spatially-related acquisition frames
DCM:121348|Temporal Predecessor
DCM:121349|Temporal Successor
DCM:129201|Image used for Treatment Planning
DCM:129202|Image used for Dose Calculation
DCM:129203|Image Acquired during Treatment
DCM:129204|Image used as Reference Image for Treatment
DCM:130750|Quality control material image
""",
    7202: """\
Source Image Purpose of Reference|20170405|Extensible
DCM:121320|Uncompressed predecessor
DCM:121321|Mask image for image processing operation
DCM:121322|Source image for image processing operation
DCM:121329|Source image for montage
DCM:121330|Lossy compressed predecessor
DCM:121358|For Processing predecessor
DCM:113130|Predecessor containing group of imaging subjects
DCM:128250|Structural image for image processing
DCM:128251|Flow image for image processing
""",
    7203: """\
Image Derivation|20200920|Extensible
DCM:113040|Lossy Compression
DCM:113042|Pixel by pixel addition
DCM:113046|Pixel by pixel division
DCM:113047|Pixel by pixel mask
DCM:113048|Pixel by pixel Maximum
DCM:113049|Pixel by pixel mean
DCM:113050|Metabolite Maps from spectroscopy data
DCM:113051|Pixel by pixel Minimum
DCM:113053|Pixel by pixel multiplication
DCM:113062|Pixel by pixel subtraction
DCM:113072|Multiplanar reformatting
DCM:113073|Curved multiplanar reformatting
DCM:113074|Volume rendering
DCM:113075|Surface rendering
DCM:113076|Segmentation
DCM:113077|Volume editing
DCM:113078|Maximum intensity projection
DCM:113079|Minimum intensity projection
DCM:113085|Spatial resampling
DCM:113086|Edge enhancement
DCM:113087|Smoothing
DCM:113088|Gaussian blur
DCM:113089|Unsharp mask
DCM:113090|Image stitching
DCM:113091|Spatially-related frames extracted from the volume
DCM:113092|Temporally-related frames extracted from the set of volumes
DCM:113097|Multi-energy proportional weighting
DCM:113093|Polar to Rectangular Scan Conversion
DCM:113131|Extraction of individual subject from group
DCM:128303|OCT B-scan analysis
DCM:129104|Perfusion image analysis
DCM:129105|Diffusion image analysis
DCM:129106|Diffusion tractography
DCM:125027|Deformed for Registration
""",
    10000: """\
Scope of Accumulation|20131010|Extensible
DCM:113014|Study
DCM:113015|Series
DCM:113016|Performed Procedure Step
DCM:113970|Procedure Step To This Point
DCM:113852|Irradiation Event
""",
    10002: """\
Irradiation Event Type|20051101|Extensible
44491008|Fluoroscopy
DCM:113611|Stationary Acquisition
DCM:113612|Stepping Acquisition
DCM:113613|Rotational Acquisition
""",
    10003: """\
Equipment Plane Identification|20081028|Extensible
DCM:113620|Plane A
DCM:113621|Plane B
DCM:113622|Single Plane
DCM:113890|All Planes
""",
    10004: """\
Fluoro Mode|20051101|Extensible
DCM:113630|Continuous
DCM:113631|Pulsed
""",
    10020: """\
Source of Projection X-Ray Dose Information|20120406|Extensible
DCM:113856|Automated Data Collection
DCM:113857|Manual Entry
DCM:113858|MPPS Content
15869005|Dosimeter
DCM:113866|Copied From Image Attributes
DCM:113867|Computed From Image Attributes
DCM:113868|Derived From Human-Readable Reports
DCM:113940|System Calculated
""",
    12030: """\
Ultrasound Contrast/Bolus Agent|20160605|Extensible
DCM:125901|CARDIOsphere
NDC:11994-011-04|Definity
DCM:125902|Echovist
DCM:125903|Imagify
DCM:125904|Levovist
NDC:0407-2707-03|Optison
DCM:125905|Sonazoid
DCM:125906|SonoVue
DCM:125907|Targestar-B
DCM:125908|Targestar-P
""",
    12035: """\
Ultrasound Transducer Application|20240324|Extensible
DCM:125261|External Transducer
DCM:125262|Transesophageal Transducer
DCM:125263|Endovaginal Transducer
DCM:125264|Endorectal Transducer
DCM:125265|Intravascular Transducer
DCM:125266|Endocavitary Transducer
DCM:125267|Intraoperative Transducer
""",
    12226: """\
Echocardiography Image View|20211112|Extensible
399232001|Apical two chamber
399214001|Apical four chamber
DCM:130681|Apical four chamber RV Focused
DCM:130682|Apical four chamber RV Modified
399339008|Apical long axis
399139001|Parasternal long axis
443082005|Parasternal long axis view of the RV inflow tract
443083000|Parasternal long axis view of the RV outflow tract
399306005|Parasternal short axis
399239005|Parasternal short axis at the aortic valve level
399371001|Parasternal short axis at the level of the mitral chords
399036006|Parasternal short axis at the Mitral Valve level
399271003|Parasternal short axis at the Papillary Muscle level
398998003|Right Ventricular Inflow Tract View
399195005|Right Ventricular Outflow Tract View
399310008|Subcostal long axis
399200001|Subcostal short axis
399106004|Suprasternal long axis
399145009|Suprasternal short axis
443698002|Transesophageal short axis view
443100003|Subcostal view of cardiac outlets directed anteriorly
443160001|Subcostal short axis view at papillary muscle level
443499004|Subcostal short axis view at mitral valve level
443609003|Subcostal short axis view at aortic valve level
443500008|Subcostal short axis view at venous inflow level
443640005|Subcostal oblique coronal view
443162009|Suprasternal coronal view
443163004|Suprasternal sagittal view
443562002|Suprasternal long axis view of aortic arch
""",
}
