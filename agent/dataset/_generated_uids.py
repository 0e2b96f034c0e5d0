# Made from the 2024e edition of PS3.4 (Table B.5-1) and the 2024c edition of PS3.6 (Tables) by scripts/gen_dictionary.py; do not edit.
# One line per UID: what stands behind 1.2.840.10008. and its name. Read by uid.py.
TABLE = """
1.1 Verification SOP Class
1.2 Implicit VR Little Endian: Default Transfer Syntax for DICOM
1.2.1 Explicit VR Little Endian
1.2.1.98 Encapsulated Uncompressed Explicit VR Little Endian
1.2.1.99 Deflated Explicit VR Little Endian
1.2.2 Explicit VR Big Endian (Retired)
1.2.4.100 MPEG2 Main Profile / Main Level
1.2.4.100.1 Fragmentable MPEG2 Main Profile / Main Level
1.2.4.101 MPEG2 Main Profile / High Level
1.2.4.101.1 Fragmentable MPEG2 Main Profile / High Level
1.2.4.102 MPEG-4 AVC/H.264 High Profile / Level 4.1
1.2.4.102.1 Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1
1.2.4.103 MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1
1.2.4.103.1 Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1
1.2.4.104 MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video
1.2.4.104.1 Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video
1.2.4.105 MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video
1.2.4.105.1 Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video
1.2.4.106 MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2
1.2.4.106.1 Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2
1.2.4.107 HEVC/H.265 Main Profile / Level 5.1
1.2.4.108 HEVC/H.265 Main 10 Profile / Level 5.1
1.2.4.201 High-Throughput JPEG 2000 Image Compression (Lossless Only)
1.2.4.202 High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)
1.2.4.203 High-Throughput JPEG 2000 Image Compression
1.2.4.204 JPIP HTJ2K Referenced
1.2.4.205 JPIP HTJ2K Referenced Deflate
1.2.4.50 JPEG Baseline (Process 1): Default Transfer Syntax for Lossy JPEG 8 Bit Image Compression
1.2.4.51 JPEG Extended (Process 2 & 4): Default Transfer Syntax for Lossy JPEG 12 Bit Image Compression (Process 4 only)
1.2.4.52 JPEG Extended (Process 3 & 5) (Retired)
1.2.4.53 JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8) (Retired)
1.2.4.54 JPEG Spectral Selection, Non-Hierarchical (Process 7 & 9) (Retired)
1.2.4.55 JPEG Full Progression, Non-Hierarchical (Process 10 & 12) (Retired)
1.2.4.56 JPEG Full Progression, Non-Hierarchical (Process 11 & 13) (Retired)
1.2.4.57 JPEG Lossless, Non-Hierarchical (Process 14)
1.2.4.58 JPEG Lossless, Non-Hierarchical (Process 15) (Retired)
1.2.4.59 JPEG Extended, Hierarchical (Process 16 & 18) (Retired)
1.2.4.60 JPEG Extended, Hierarchical (Process 17 & 19) (Retired)
1.2.4.61 JPEG Spectral Selection, Hierarchical (Process 20 & 22) (Retired)
1.2.4.62 JPEG Spectral Selection, Hierarchical (Process 21 & 23) (Retired)
1.2.4.63 JPEG Full Progression, Hierarchical (Process 24 & 26) (Retired)
1.2.4.64 JPEG Full Progression, Hierarchical (Process 25 & 27) (Retired)
1.2.4.65 JPEG Lossless, Hierarchical (Process 28) (Retired)
1.2.4.66 JPEG Lossless, Hierarchical (Process 29) (Retired)
1.2.4.70 JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1]): Default Transfer Syntax for Lossless JPEG Image Compression
1.2.4.80 JPEG-LS Lossless Image Compression
1.2.4.81 JPEG-LS Lossy (Near-Lossless) Image Compression
1.2.4.90 JPEG 2000 Image Compression (Lossless Only)
1.2.4.91 JPEG 2000 Image Compression
1.2.4.92 JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)
1.2.4.93 JPEG 2000 Part 2 Multi-component Image Compression
1.2.4.94 JPIP Referenced
1.2.4.95 JPIP Referenced Deflate
1.2.5 RLE Lossless
1.2.6.1 RFC 2557 MIME encapsulation (Retired)
1.2.6.2 XML Encoding (Retired)
1.2.7.1 SMPTE ST 2110-20 Uncompressed Progressive Active Video
1.2.7.2 SMPTE ST 2110-20 Uncompressed Interlaced Active Video
1.2.7.3 SMPTE ST 2110-30 PCM Digital Audio
1.20 Papyrus 3 Implicit VR Little Endian (Retired)
1.20.1 Storage Commitment Push Model SOP Class
1.20.1.1 Storage Commitment Push Model SOP Instance
1.20.2 Storage Commitment Pull Model SOP Class (Retired)
1.20.2.1 Storage Commitment Pull Model SOP Instance (Retired)
1.3.10 Media Storage Directory Storage
1.4.1.1 Talairach Brain Atlas Frame of Reference
1.4.1.10 SPM2 GRAY Frame of Reference
1.4.1.11 SPM2 WHITE Frame of Reference
1.4.1.12 SPM2 CSF Frame of Reference
1.4.1.13 SPM2 BRAINMASK Frame of Reference
1.4.1.14 SPM2 AVG305T1 Frame of Reference
1.4.1.15 SPM2 AVG152T1 Frame of Reference
1.4.1.16 SPM2 AVG152T2 Frame of Reference
1.4.1.17 SPM2 AVG152PD Frame of Reference
1.4.1.18 SPM2 SINGLESUBJT1 Frame of Reference
1.4.1.2 SPM2 T1 Frame of Reference
1.4.1.3 SPM2 T2 Frame of Reference
1.4.1.4 SPM2 PD Frame of Reference
1.4.1.5 SPM2 EPI Frame of Reference
1.4.1.6 SPM2 FIL T1 Frame of Reference
1.4.1.7 SPM2 PET Frame of Reference
1.4.1.8 SPM2 TRANSM Frame of Reference
1.4.1.9 SPM2 SPECT Frame of Reference
1.4.2.1 ICBM 452 T1 Frame of Reference
1.4.2.2 ICBM Single Subject MRI Frame of Reference
1.4.3.1 IEC 61217 Fixed Coordinate System Frame of Reference
1.4.3.2 Standard Robotic-Arm Coordinate System Frame of Reference
1.4.3.3 IEC 61217 Table Top Coordinate System Frame of Reference
1.4.4.1 SRI24 Frame of Reference
1.4.5.1 Colin27 Frame of Reference
1.4.6.1 LPBA40/AIR Frame of Reference
1.4.6.2 LPBA40/FLIRT Frame of Reference
1.4.6.3 LPBA40/SPM5 Frame of Reference
1.40 Procedural Event Logging SOP Class
1.40.1 Procedural Event Logging SOP Instance
1.42 Substance Administration Logging SOP Class
1.42.1 Substance Administration Logging SOP Instance
1.5.1 Hot Iron Color Palette SOP Instance
1.5.2 PET Color Palette SOP Instance
1.5.3 Hot Metal Blue Color Palette SOP Instance
1.5.4 PET 20 Step Color Palette SOP Instance
1.5.5 Spring Color Palette SOP Instance
1.5.6 Summer Color Palette SOP Instance
1.5.7 Fall Color Palette SOP Instance
1.5.8 Winter Color Palette SOP Instance
1.9 Basic Study Content Notification SOP Class (Retired)
10.1 Video Endoscopic Image Real-Time Communication
10.2 Video Photographic Image Real-Time Communication
10.3 Audio Waveform Real-Time Communication
10.4 Rendition Selection Document Real-Time Communication
15.0.3.1 dicomDeviceName
15.0.3.10 dicomAssociationInitiator
15.0.3.11 dicomAssociationAcceptor
15.0.3.12 dicomHostname
15.0.3.13 dicomPort
15.0.3.14 dicomSOPClass
15.0.3.15 dicomTransferRole
15.0.3.16 dicomTransferSyntax
15.0.3.17 dicomPrimaryDeviceType
15.0.3.18 dicomRelatedDeviceReference
15.0.3.19 dicomPreferredCalledAETitle
15.0.3.2 dicomDescription
15.0.3.20 dicomTLSCyphersuite
15.0.3.21 dicomAuthorizedNodeCertificateReference
15.0.3.22 dicomThisNodeCertificateReference
15.0.3.23 dicomInstalled
15.0.3.24 dicomStationName
15.0.3.25 dicomDeviceSerialNumber
15.0.3.26 dicomInstitutionName
15.0.3.27 dicomInstitutionAddress
15.0.3.28 dicomInstitutionDepartmentName
15.0.3.29 dicomIssuerOfPatientID
15.0.3.3 dicomManufacturer
15.0.3.30 dicomPreferredCallingAETitle
15.0.3.31 dicomSupportedCharacterSet
15.0.3.4 dicomManufacturerModelName
15.0.3.5 dicomSoftwareVersion
15.0.3.6 dicomVendorData
15.0.3.7 dicomAETitle
15.0.3.8 dicomNetworkConnectionReference
15.0.3.9 dicomApplicationCluster
15.0.4.1 dicomConfigurationRoot
15.0.4.2 dicomDevicesRoot
15.0.4.3 dicomUniqueAETitlesRegistryRoot
15.0.4.4 dicomDevice
15.0.4.5 dicomNetworkAE
15.0.4.6 dicomNetworkConnection
15.0.4.7 dicomUniqueAETitle
15.0.4.8 dicomTransferCapability
15.1.1 Universal Coordinated Time
2.16.10 Dublin Core
2.16.11 New York University Melanoma Clinical Cooperative Group
2.16.12 Mayo Clinic Non-radiological Images Specific Body Structure Anatomical Surface Region Guide
2.16.13 Image Biomarker Standardisation Initiative
2.16.14 Radiomics Ontology
2.16.15 RadElement
2.16.16 ICD-11
2.16.17 Unified numbering system (UNS) for metals and alloys
2.16.18 Research Resource Identification
2.16.4 DICOM Controlled Terminology
2.16.5 Adult Mouse Anatomy Ontology
2.16.6 Uberon Ontology
2.16.7 Integrated Taxonomic Information System (ITIS) Taxonomic Serial Number (TSN)
2.16.8 Mouse Genome Initiative (MGI)
2.16.9 PubChem Compound CID
2.6.1 DICOM UID Registry
3.1.1.1 DICOM Application Context Name
3.1.2.1.1 Detached Patient Management SOP Class (Retired)
3.1.2.1.4 Detached Patient Management Meta SOP Class (Retired)
3.1.2.2.1 Detached Visit Management SOP Class (Retired)
3.1.2.3.1 Detached Study Management SOP Class (Retired)
3.1.2.3.2 Study Component Management SOP Class (Retired)
3.1.2.3.3 Modality Performed Procedure Step SOP Class
3.1.2.3.4 Modality Performed Procedure Step Retrieve SOP Class
3.1.2.3.5 Modality Performed Procedure Step Notification SOP Class
3.1.2.5.1 Detached Results Management SOP Class (Retired)
3.1.2.5.4 Detached Results Management Meta SOP Class (Retired)
3.1.2.5.5 Detached Study Management Meta SOP Class (Retired)
3.1.2.6.1 Detached Interpretation Management SOP Class (Retired)
4.2 Storage Service Class
5.1.1.1 Basic Film Session SOP Class
5.1.1.14 Print Job SOP Class
5.1.1.15 Basic Annotation Box SOP Class
5.1.1.16 Printer SOP Class
5.1.1.16.376 Printer Configuration Retrieval SOP Class
5.1.1.17 Printer SOP Instance
5.1.1.17.376 Printer Configuration Retrieval SOP Instance
5.1.1.18 Basic Color Print Management Meta SOP Class
5.1.1.18.1 Referenced Color Print Management Meta SOP Class (Retired)
5.1.1.2 Basic Film Box SOP Class
5.1.1.22 VOI LUT Box SOP Class
5.1.1.23 Presentation LUT SOP Class
5.1.1.24 Image Overlay Box SOP Class (Retired)
5.1.1.24.1 Basic Print Image Overlay Box SOP Class (Retired)
5.1.1.25 Print Queue SOP Instance (Retired)
5.1.1.26 Print Queue Management SOP Class (Retired)
5.1.1.27 Stored Print Storage SOP Class (Retired)
5.1.1.29 Hardcopy Grayscale Image Storage SOP Class (Retired)
5.1.1.30 Hardcopy Color Image Storage SOP Class (Retired)
5.1.1.31 Pull Print Request SOP Class (Retired)
5.1.1.32 Pull Stored Print Management Meta SOP Class (Retired)
5.1.1.33 Media Creation Management SOP Class UID
5.1.1.4 Basic Grayscale Image Box SOP Class
5.1.1.4.1 Basic Color Image Box SOP Class
5.1.1.4.2 Referenced Image Box SOP Class (Retired)
5.1.1.40 Display System SOP Class
5.1.1.40.1 Display System SOP Instance
5.1.1.9 Basic Grayscale Print Management Meta SOP Class
5.1.1.9.1 Referenced Grayscale Print Management Meta SOP Class (Retired)
5.1.4.1.1.1 Computed Radiography Image Storage
5.1.4.1.1.1.1 Digital X-Ray Image Storage - For Presentation
5.1.4.1.1.1.1.1 Digital X-Ray Image Storage - For Processing
5.1.4.1.1.1.2 Digital Mammography X-Ray Image Storage - For Presentation
5.1.4.1.1.1.2.1 Digital Mammography X-Ray Image Storage - For Processing
5.1.4.1.1.1.3 Digital Intra-Oral X-Ray Image Storage - For Presentation
5.1.4.1.1.1.3.1 Digital Intra-Oral X-Ray Image Storage - For Processing
5.1.4.1.1.10 Standalone Modality LUT Storage (Retired)
5.1.4.1.1.104.1 Encapsulated PDF Storage
5.1.4.1.1.104.2 Encapsulated CDA Storage
5.1.4.1.1.104.3 Encapsulated STL Storage
5.1.4.1.1.104.4 Encapsulated OBJ Storage
5.1.4.1.1.104.5 Encapsulated MTL Storage
5.1.4.1.1.11 Standalone VOI LUT Storage (Retired)
5.1.4.1.1.11.1 Grayscale Softcopy Presentation State Storage
5.1.4.1.1.11.10 Segmented Volume Rendering Volumetric Presentation State Storage
5.1.4.1.1.11.11 Multiple Volume Rendering Volumetric Presentation State Storage
5.1.4.1.1.11.12 Variable Modality LUT Softcopy Presentation State Storage
5.1.4.1.1.11.2 Color Softcopy Presentation State Storage
5.1.4.1.1.11.3 Pseudo-Color Softcopy Presentation State Storage
5.1.4.1.1.11.4 Blending Softcopy Presentation State Storage
5.1.4.1.1.11.5 XA/XRF Grayscale Softcopy Presentation State Storage
5.1.4.1.1.11.6 Grayscale Planar MPR Volumetric Presentation State Storage
5.1.4.1.1.11.7 Compositing Planar MPR Volumetric Presentation State Storage
5.1.4.1.1.11.8 Advanced Blending Presentation State Storage
5.1.4.1.1.11.9 Volume Rendering Volumetric Presentation State Storage
5.1.4.1.1.12.1 X-Ray Angiographic Image Storage
5.1.4.1.1.12.1.1 Enhanced XA Image Storage
5.1.4.1.1.12.2 X-Ray Radiofluoroscopic Image Storage
5.1.4.1.1.12.2.1 Enhanced XRF Image Storage
5.1.4.1.1.12.3 X-Ray Angiographic Bi-Plane Image Storage (Retired)
5.1.4.1.1.12.77 (Retired)
5.1.4.1.1.128 Positron Emission Tomography Image Storage
5.1.4.1.1.128.1 Legacy Converted Enhanced PET Image Storage
5.1.4.1.1.129 Standalone PET Curve Storage (Retired)
5.1.4.1.1.13.1.1 X-Ray 3D Angiographic Image Storage
5.1.4.1.1.13.1.2 X-Ray 3D Craniofacial Image Storage
5.1.4.1.1.13.1.3 Breast Tomosynthesis Image Storage
5.1.4.1.1.13.1.4 Breast Projection X-Ray Image Storage - For Presentation
5.1.4.1.1.13.1.5 Breast Projection X-Ray Image Storage - For Processing
5.1.4.1.1.130 Enhanced PET Image Storage
5.1.4.1.1.131 Basic Structured Display Storage
5.1.4.1.1.14.1 Intravascular Optical Coherence Tomography Image Storage - For Presentation
5.1.4.1.1.14.2 Intravascular Optical Coherence Tomography Image Storage - For Processing
5.1.4.1.1.2 CT Image Storage
5.1.4.1.1.2.1 Enhanced CT Image Storage
5.1.4.1.1.2.2 Legacy Converted Enhanced CT Image Storage
5.1.4.1.1.20 Nuclear Medicine Image Storage
5.1.4.1.1.200.1 CT Defined Procedure Protocol Storage
5.1.4.1.1.200.2 CT Performed Procedure Protocol Storage
5.1.4.1.1.200.3 Protocol Approval Storage
5.1.4.1.1.200.4 Protocol Approval Information Model - FIND
5.1.4.1.1.200.5 Protocol Approval Information Model - MOVE
5.1.4.1.1.200.6 Protocol Approval Information Model - GET
5.1.4.1.1.200.7 XA Defined Procedure Protocol Storage
5.1.4.1.1.200.8 XA Performed Procedure Protocol Storage
5.1.4.1.1.201.1 Inventory Storage
5.1.4.1.1.201.1.1 Storage Management SOP Instance
5.1.4.1.1.201.2 Inventory - FIND
5.1.4.1.1.201.3 Inventory - MOVE
5.1.4.1.1.201.4 Inventory - GET
5.1.4.1.1.201.5 Inventory Creation
5.1.4.1.1.201.6 Repository Query
5.1.4.1.1.3 Ultrasound Multi-frame Image Storage (Retired)
5.1.4.1.1.3.1 Ultrasound Multi-frame Image Storage
5.1.4.1.1.30 Parametric Map Storage
5.1.4.1.1.4 MR Image Storage
5.1.4.1.1.4.1 Enhanced MR Image Storage
5.1.4.1.1.4.2 MR Spectroscopy Storage
5.1.4.1.1.4.3 Enhanced MR Color Image Storage
5.1.4.1.1.4.4 Legacy Converted Enhanced MR Image Storage
5.1.4.1.1.40 (Retired)
5.1.4.1.1.481.1 RT Image Storage
5.1.4.1.1.481.10 RT Physician Intent Storage
5.1.4.1.1.481.11 RT Segment Annotation Storage
5.1.4.1.1.481.12 RT Radiation Set Storage
5.1.4.1.1.481.13 C-Arm Photon-Electron Radiation Storage
5.1.4.1.1.481.14 Tomotherapeutic Radiation Storage
5.1.4.1.1.481.15 Robotic-Arm Radiation Storage
5.1.4.1.1.481.16 RT Radiation Record Set Storage
5.1.4.1.1.481.17 RT Radiation Salvage Record Storage
5.1.4.1.1.481.18 Tomotherapeutic Radiation Record Storage
5.1.4.1.1.481.19 C-Arm Photon-Electron Radiation Record Storage
5.1.4.1.1.481.2 RT Dose Storage
5.1.4.1.1.481.20 Robotic Radiation Record Storage
5.1.4.1.1.481.21 RT Radiation Set Delivery Instruction Storage
5.1.4.1.1.481.22 RT Treatment Preparation Storage
5.1.4.1.1.481.23 Enhanced RT Image Storage
5.1.4.1.1.481.24 Enhanced Continuous RT Image Storage
5.1.4.1.1.481.25 RT Patient Position Acquisition Instruction Storage
5.1.4.1.1.481.3 RT Structure Set Storage
5.1.4.1.1.481.4 RT Beams Treatment Record Storage
5.1.4.1.1.481.5 RT Plan Storage
5.1.4.1.1.481.6 RT Brachy Treatment Record Storage
5.1.4.1.1.481.7 RT Treatment Summary Record Storage
5.1.4.1.1.481.8 RT Ion Plan Storage
5.1.4.1.1.481.9 RT Ion Beams Treatment Record Storage
5.1.4.1.1.5 Nuclear Medicine Image Storage (Retired)
5.1.4.1.1.501.1 DICOS CT Image Storage
5.1.4.1.1.501.2.1 DICOS Digital X-Ray Image Storage - For Presentation
5.1.4.1.1.501.2.2 DICOS Digital X-Ray Image Storage - For Processing
5.1.4.1.1.501.3 DICOS Threat Detection Report Storage
5.1.4.1.1.501.4 DICOS 2D AIT Storage
5.1.4.1.1.501.5 DICOS 3D AIT Storage
5.1.4.1.1.501.6 DICOS Quadrupole Resonance (QR) Storage
5.1.4.1.1.6 Ultrasound Image Storage (Retired)
5.1.4.1.1.6.1 Ultrasound Image Storage
5.1.4.1.1.6.2 Enhanced US Volume Storage
5.1.4.1.1.6.3 Photoacoustic Image Storage
5.1.4.1.1.601.1 Eddy Current Image Storage
5.1.4.1.1.601.2 Eddy Current Multi-frame Image Storage
5.1.4.1.1.66 Raw Data Storage
5.1.4.1.1.66.1 Spatial Registration Storage
5.1.4.1.1.66.2 Spatial Fiducials Storage
5.1.4.1.1.66.3 Deformable Spatial Registration Storage
5.1.4.1.1.66.4 Segmentation Storage
5.1.4.1.1.66.5 Surface Segmentation Storage
5.1.4.1.1.66.6 Tractography Results Storage
5.1.4.1.1.67 Real World Value Mapping Storage
5.1.4.1.1.68.1 Surface Scan Mesh Storage
5.1.4.1.1.68.2 Surface Scan Point Cloud Storage
5.1.4.1.1.7 Secondary Capture Image Storage
5.1.4.1.1.7.1 Multi-frame Single Bit Secondary Capture Image Storage
5.1.4.1.1.7.2 Multi-frame Grayscale Byte Secondary Capture Image Storage
5.1.4.1.1.7.3 Multi-frame Grayscale Word Secondary Capture Image Storage
5.1.4.1.1.7.4 Multi-frame True Color Secondary Capture Image Storage
5.1.4.1.1.77.1 VL Image Storage - Trial (Retired)
5.1.4.1.1.77.1.1 VL Endoscopic Image Storage
5.1.4.1.1.77.1.1.1 Video Endoscopic Image Storage
5.1.4.1.1.77.1.2 VL Microscopic Image Storage
5.1.4.1.1.77.1.2.1 Video Microscopic Image Storage
5.1.4.1.1.77.1.3 VL Slide-Coordinates Microscopic Image Storage
5.1.4.1.1.77.1.4 VL Photographic Image Storage
5.1.4.1.1.77.1.4.1 Video Photographic Image Storage
5.1.4.1.1.77.1.5.1 Ophthalmic Photography 8 Bit Image Storage
5.1.4.1.1.77.1.5.2 Ophthalmic Photography 16 Bit Image Storage
5.1.4.1.1.77.1.5.3 Stereometric Relationship Storage
5.1.4.1.1.77.1.5.4 Ophthalmic Tomography Image Storage
5.1.4.1.1.77.1.5.5 Wide Field Ophthalmic Photography Stereographic Projection Image Storage
5.1.4.1.1.77.1.5.6 Wide Field Ophthalmic Photography 3D Coordinates Image Storage
5.1.4.1.1.77.1.5.7 Ophthalmic Optical Coherence Tomography En Face Image Storage
5.1.4.1.1.77.1.5.8 Ophthalmic Optical Coherence Tomography B-scan Volume Analysis Storage
5.1.4.1.1.77.1.6 VL Whole Slide Microscopy Image Storage
5.1.4.1.1.77.1.7 Dermoscopic Photography Image Storage
5.1.4.1.1.77.1.8 Confocal Microscopy Image Storage
5.1.4.1.1.77.1.9 Confocal Microscopy Tiled Pyramidal Image Storage
5.1.4.1.1.77.2 VL Multi-frame Image Storage - Trial (Retired)
5.1.4.1.1.78.1 Lensometry Measurements Storage
5.1.4.1.1.78.2 Autorefraction Measurements Storage
5.1.4.1.1.78.3 Keratometry Measurements Storage
5.1.4.1.1.78.4 Subjective Refraction Measurements Storage
5.1.4.1.1.78.5 Visual Acuity Measurements Storage
5.1.4.1.1.78.6 Spectacle Prescription Report Storage
5.1.4.1.1.78.7 Ophthalmic Axial Measurements Storage
5.1.4.1.1.78.8 Intraocular Lens Calculations Storage
5.1.4.1.1.79.1 Macular Grid Thickness and Volume Report
5.1.4.1.1.8 Standalone Overlay Storage (Retired)
5.1.4.1.1.80.1 Ophthalmic Visual Field Static Perimetry Measurements Storage
5.1.4.1.1.81.1 Ophthalmic Thickness Map Storage
5.1.4.1.1.82.1 Corneal Topography Map Storage
5.1.4.1.1.88.1 Text SR Storage - Trial (Retired)
5.1.4.1.1.88.11 Basic Text SR Storage
5.1.4.1.1.88.2 Audio SR Storage - Trial (Retired)
5.1.4.1.1.88.22 Enhanced SR Storage
5.1.4.1.1.88.3 Detail SR Storage - Trial (Retired)
5.1.4.1.1.88.33 Comprehensive SR Storage
5.1.4.1.1.88.34 Comprehensive 3D SR Storage
5.1.4.1.1.88.35 Extensible SR Storage
5.1.4.1.1.88.4 Comprehensive SR Storage - Trial (Retired)
5.1.4.1.1.88.40 Procedure Log Storage
5.1.4.1.1.88.50 Mammography CAD SR Storage
5.1.4.1.1.88.59 Key Object Selection Document Storage
5.1.4.1.1.88.65 Chest CAD SR Storage
5.1.4.1.1.88.67 X-Ray Radiation Dose SR Storage
5.1.4.1.1.88.68 Radiopharmaceutical Radiation Dose SR Storage
5.1.4.1.1.88.69 Colon CAD SR Storage
5.1.4.1.1.88.70 Implantation Plan SR Storage
5.1.4.1.1.88.71 Acquisition Context SR Storage
5.1.4.1.1.88.72 Simplified Adult Echo SR Storage
5.1.4.1.1.88.73 Patient Radiation Dose SR Storage
5.1.4.1.1.88.74 Planned Imaging Agent Administration SR Storage
5.1.4.1.1.88.75 Performed Imaging Agent Administration SR Storage
5.1.4.1.1.88.76 Enhanced X-Ray Radiation Dose SR Storage
5.1.4.1.1.88.77 Waveform Annotation SR Storage
5.1.4.1.1.9 Standalone Curve Storage (Retired)
5.1.4.1.1.9.1 Waveform Storage - Trial (Retired)
5.1.4.1.1.9.1.1 12-lead ECG Waveform Storage
5.1.4.1.1.9.1.2 General ECG Waveform Storage
5.1.4.1.1.9.1.3 Ambulatory ECG Waveform Storage
5.1.4.1.1.9.1.4 General 32-bit ECG Waveform Storage
5.1.4.1.1.9.2.1 Hemodynamic Waveform Storage
5.1.4.1.1.9.3.1 Cardiac Electrophysiology Waveform Storage
5.1.4.1.1.9.4.1 Basic Voice Audio Waveform Storage
5.1.4.1.1.9.4.2 General Audio Waveform Storage
5.1.4.1.1.9.5.1 Arterial Pulse Waveform Storage
5.1.4.1.1.9.6.1 Respiratory Waveform Storage
5.1.4.1.1.9.6.2 Multi-channel Respiratory Waveform Storage
5.1.4.1.1.9.7.1 Routine Scalp Electroencephalogram Waveform Storage
5.1.4.1.1.9.7.2 Electromyogram Waveform Storage
5.1.4.1.1.9.7.3 Electrooculogram Waveform Storage
5.1.4.1.1.9.7.4 Sleep Electroencephalogram Waveform Storage
5.1.4.1.1.9.8.1 Body Position Waveform Storage
5.1.4.1.1.90.1 Content Assessment Results Storage
5.1.4.1.1.91.1 Microscopy Bulk Simple Annotations Storage
5.1.4.1.2.1.1 Patient Root Query/Retrieve Information Model - FIND
5.1.4.1.2.1.2 Patient Root Query/Retrieve Information Model - MOVE
5.1.4.1.2.1.3 Patient Root Query/Retrieve Information Model - GET
5.1.4.1.2.2.1 Study Root Query/Retrieve Information Model - FIND
5.1.4.1.2.2.2 Study Root Query/Retrieve Information Model - MOVE
5.1.4.1.2.2.3 Study Root Query/Retrieve Information Model - GET
5.1.4.1.2.3.1 Patient/Study Only Query/Retrieve Information Model - FIND (Retired)
5.1.4.1.2.3.2 Patient/Study Only Query/Retrieve Information Model - MOVE (Retired)
5.1.4.1.2.3.3 Patient/Study Only Query/Retrieve Information Model - GET (Retired)
5.1.4.1.2.4.2 Composite Instance Root Retrieve - MOVE
5.1.4.1.2.4.3 Composite Instance Root Retrieve - GET
5.1.4.1.2.5.3 Composite Instance Retrieve Without Bulk Data - GET
5.1.4.20.1 Defined Procedure Protocol Information Model - FIND
5.1.4.20.2 Defined Procedure Protocol Information Model - MOVE
5.1.4.20.3 Defined Procedure Protocol Information Model - GET
5.1.4.31 Modality Worklist Information Model - FIND
5.1.4.32 General Purpose Worklist Management Meta SOP Class (Retired)
5.1.4.32.1 General Purpose Worklist Information Model - FIND (Retired)
5.1.4.32.2 General Purpose Scheduled Procedure Step SOP Class (Retired)
5.1.4.32.3 General Purpose Performed Procedure Step SOP Class (Retired)
5.1.4.33 Instance Availability Notification SOP Class
5.1.4.34.1 RT Beams Delivery Instruction Storage - Trial (Retired)
5.1.4.34.10 RT Brachy Application Setup Delivery Instruction Storage
5.1.4.34.2 RT Conventional Machine Verification - Trial (Retired)
5.1.4.34.3 RT Ion Machine Verification - Trial (Retired)
5.1.4.34.4 Unified Worklist and Procedure Step Service Class - Trial (Retired)
5.1.4.34.4.1 Unified Procedure Step - Push SOP Class - Trial (Retired)
5.1.4.34.4.2 Unified Procedure Step - Watch SOP Class - Trial (Retired)
5.1.4.34.4.3 Unified Procedure Step - Pull SOP Class - Trial (Retired)
5.1.4.34.4.4 Unified Procedure Step - Event SOP Class - Trial (Retired)
5.1.4.34.5 UPS Global Subscription SOP Instance
5.1.4.34.5.1 UPS Filtered Global Subscription SOP Instance
5.1.4.34.6 Unified Worklist and Procedure Step Service Class
5.1.4.34.6.1 Unified Procedure Step - Push SOP Class
5.1.4.34.6.2 Unified Procedure Step - Watch SOP Class
5.1.4.34.6.3 Unified Procedure Step - Pull SOP Class
5.1.4.34.6.4 Unified Procedure Step - Event SOP Class
5.1.4.34.6.5 Unified Procedure Step - Query SOP Class
5.1.4.34.7 RT Beams Delivery Instruction Storage
5.1.4.34.8 RT Conventional Machine Verification
5.1.4.34.9 RT Ion Machine Verification
5.1.4.37.1 General Relevant Patient Information Query
5.1.4.37.2 Breast Imaging Relevant Patient Information Query
5.1.4.37.3 Cardiac Relevant Patient Information Query
5.1.4.38.1 Hanging Protocol Storage
5.1.4.38.2 Hanging Protocol Information Model - FIND
5.1.4.38.3 Hanging Protocol Information Model - MOVE
5.1.4.38.4 Hanging Protocol Information Model - GET
5.1.4.39.1 Color Palette Storage
5.1.4.39.2 Color Palette Query/Retrieve Information Model - FIND
5.1.4.39.3 Color Palette Query/Retrieve Information Model - MOVE
5.1.4.39.4 Color Palette Query/Retrieve Information Model - GET
5.1.4.41 Product Characteristics Query SOP Class
5.1.4.42 Substance Approval Query SOP Class
5.1.4.43.1 Generic Implant Template Storage
5.1.4.43.2 Generic Implant Template Information Model - FIND
5.1.4.43.3 Generic Implant Template Information Model - MOVE
5.1.4.43.4 Generic Implant Template Information Model - GET
5.1.4.44.1 Implant Assembly Template Storage
5.1.4.44.2 Implant Assembly Template Information Model - FIND
5.1.4.44.3 Implant Assembly Template Information Model - MOVE
5.1.4.44.4 Implant Assembly Template Information Model - GET
5.1.4.45.1 Implant Template Group Storage
5.1.4.45.2 Implant Template Group Information Model - FIND
5.1.4.45.3 Implant Template Group Information Model - MOVE
5.1.4.45.4 Implant Template Group Information Model - GET
6.1.1 CID 2 Anatomic Modifier
6.1.10 CID 12 Imaging Contrast Agent
6.1.100 CID 3453 Cardiac Volume Method
6.1.1000 CID 7467 Gray Level Co-occurrence Matrix Measurement
6.1.1001 CID 7468 Texture Measurement
6.1.1002 CID 6146 Time Point Type
6.1.1003 CID 7469 Generic Intensity and Size Measurement
6.1.1004 CID 6147 Response Criteria
6.1.1005 CID 12020 Fetal Biometry Anatomic Site
6.1.1006 CID 12021 Fetal Long Bone Anatomic Site
6.1.1007 CID 12022 Fetal Cranium Anatomic Site
6.1.1008 CID 12023 Pelvis and Uterus Anatomic Site
6.1.1009 CID 7222 Parametric Map Derivation Image Purpose of Reference
6.1.101 CID 3455 Index Method
6.1.1010 CID 9000 Physical Quantity Descriptor
6.1.1011 CID 7600 Lymph Node Anatomic Site
6.1.1012 CID 7601 Head and Neck Cancer Anatomic Site
6.1.1013 CID 7701 Fiber Tract In Brainstem
6.1.1014 CID 7702 Projection and Thalamic Fiber
6.1.1015 CID 7703 Association Fiber
6.1.1016 CID 7704 Limbic System Tract
6.1.1017 CID 7705 Commissural Fiber
6.1.1018 CID 7706 Cranial Nerve
6.1.1019 CID 7707 Spinal Cord Fiber
6.1.102 CID 3456 Sub-segment Method
6.1.1020 CID 7710 Tractography Anatomic Site
6.1.1021 CID 4025 Primary Anatomic Structure for Intra-oral Radiography (Supernumerary Dentition - Designation of Teeth)
6.1.1022 CID 4026 Primary Anatomic Structure for Intra-oral and Craniofacial Radiography - Teeth
6.1.1023 CID 9401 IEC61217 Device Position Parameter
6.1.1024 CID 9402 IEC61217 Gantry Position Parameter
6.1.1025 CID 9403 IEC61217 Patient Support Position Parameter
6.1.1026 CID 7035 Actionable Finding Classification
6.1.1027 CID 7036 Image Quality Assessment
6.1.1028 CID 10050 Summary Radiation Exposure Quantity
6.1.1029 CID 4245 Wide Field Ophthalmic Photography Transformation Method
6.1.103 CID 3458 Contour Realignment
6.1.1030 CID 84 PET Unit
6.1.1031 CID 7300 Implant Material
6.1.1032 CID 7301 Intervention Type
6.1.1033 CID 7302 Implant Template View Orientation
6.1.1034 CID 7303 Implant Template Modified View Orientation
6.1.1035 CID 7304 Implant Target Anatomy
6.1.1036 CID 7305 Implant Planning Landmark
6.1.1037 CID 7306 Human Hip Implant Planning Landmark
6.1.1038 CID 7307 Implant Component Type
6.1.1039 CID 7308 Human Hip Implant Component Type
6.1.104 CID 3460 Circumferential Extent
6.1.1040 CID 7309 Human Trauma Implant Component Type
6.1.1041 CID 7310 Implant Fixation Method
6.1.1042 CID 7445 Device Participating Role
6.1.1043 CID 8101 Container Type
6.1.1044 CID 8102 Container Component Type
6.1.1045 CID 8103 Anatomic Pathology Specimen Type
6.1.1046 CID 8104 Breast Tissue Specimen Type
6.1.1047 CID 8109 Specimen Collection Procedure
6.1.1048 CID 8110 Specimen Sampling Procedure
6.1.1049 CID 8111 Specimen Preparation Procedure
6.1.105 CID 3461 Regional Extent
6.1.1050 CID 8112 Specimen Stain
6.1.1051 CID 8113 Specimen Preparation Step
6.1.1052 CID 8114 Specimen Fixative
6.1.1053 CID 8115 Specimen Embedding Media
6.1.1054 CID 10020 Source of Projection X-Ray Dose Information
6.1.1055 CID 10021 Source of CT Dose Information
6.1.1056 CID 10025 Radiation Dose Reference Point
6.1.1057 CID 501 Volumetric View Description
6.1.1058 CID 502 Volumetric View Modifier
6.1.1059 CID 7260 Diffusion Acquisition Value Type
6.1.106 CID 3462 Chamber Identification
6.1.1060 CID 7261 Diffusion Model Value Type
6.1.1061 CID 7262 Diffusion Tractography Algorithm Family
6.1.1062 CID 7263 Diffusion Tractography Measurement Type
6.1.1063 CID 7490 Research Animal Source Registry
6.1.1064 CID 231 Yes-No Only
6.1.1065 CID 601 Biosafety Level
6.1.1066 CID 602 Biosafety Control Reason
6.1.1067 CID 7457 Sex - Male Female or Both
6.1.1068 CID 603 Animal Room Type
6.1.1069 CID 604 Device Reuse
6.1.107 CID 3465 QA Reference Method
6.1.1070 CID 605 Animal Bedding Material
6.1.1071 CID 606 Animal Shelter Type
6.1.1072 CID 607 Animal Feed Type
6.1.1073 CID 608 Animal Feed Source
6.1.1074 CID 609 Animal Feeding Method
6.1.1075 CID 610 Water Type
6.1.1076 CID 611 Anesthesia Category Code Type for Small Animal Anesthesia
6.1.1077 CID 612 Anesthesia Category Code Type from Anesthesia Quality Initiative
6.1.1078 CID 613 Anesthesia Induction Code Type for Small Animal Anesthesia
6.1.1079 CID 614 Anesthesia Induction Code Type from Anesthesia Quality Initiative
6.1.108 CID 3466 Plane Identification
6.1.1080 CID 615 Anesthesia Maintenance Code Type for Small Animal Anesthesia
6.1.1081 CID 616 Anesthesia Maintenance Code Type from Anesthesia Quality Initiative
6.1.1082 CID 617 Airway Management Method Code Type for Small Animal Anesthesia
6.1.1083 CID 618 Airway Management Method Code Type from Anesthesia Quality Initiative
6.1.1084 CID 619 Airway Management Sub-Method Code Type for Small Animal Anesthesia
6.1.1085 CID 620 Airway Management Sub-Method Code Type from Anesthesia Quality Initiative
6.1.1086 CID 621 Medication Type for Small Animal Anesthesia
6.1.1087 CID 622 Medication Type Code Type from Anesthesia Quality Initiative
6.1.1088 CID 623 Medication for Small Animal Anesthesia
6.1.1089 CID 624 Inhalational Anesthesia Agent for Small Animal Anesthesia
6.1.109 CID 3467 Ejection Fraction
6.1.1090 CID 625 Injectable Anesthesia Agent for Small Animal Anesthesia
6.1.1091 CID 626 Premedication Agent for Small Animal Anesthesia
6.1.1092 CID 627 Neuromuscular Blocking Agent for Small Animal Anesthesia
6.1.1093 CID 628 Ancillary Medications for Small Animal Anesthesia
6.1.1094 CID 629 Carrier Gases for Small Animal Anesthesia
6.1.1095 CID 630 Local Anesthetics for Small Animal Anesthesia
6.1.1096 CID 631 Procedure Phase Requiring Anesthesia
6.1.1097 CID 632 Surgical Procedure Phase Requiring Anesthesia
6.1.1098 CID 633 Phase of Imaging Procedure Requiring Anesthesia (Retired)
6.1.1099 CID 634 Animal Handling Phase
6.1.11 CID 13 Imaging Contrast Agent Ingredient
6.1.110 CID 3468 ED Volume
6.1.1100 CID 635 Heating Method
6.1.1101 CID 636 Temperature Sensor Device Component Type for Small Animal Procedure
6.1.1102 CID 637 Exogenous Substance Type
6.1.1103 CID 638 Exogenous Substance
6.1.1104 CID 639 Tumor Graft Histologic Type
6.1.1105 CID 640 Fibril
6.1.1106 CID 641 Virus
6.1.1107 CID 642 Cytokine
6.1.1108 CID 643 Toxin
6.1.1109 CID 644 Exogenous Substance Administration Site
6.1.111 CID 3469 ES Volume
6.1.1110 CID 645 Exogenous Substance Origin Tissue
6.1.1111 CID 646 Preclinical Small Animal Imaging Procedure
6.1.1112 CID 647 Position Reference Indicator for Frame of Reference
6.1.1113 CID 241 Present-Absent Only
6.1.1114 CID 10024 Water Equivalent Diameter Method
6.1.1115 CID 7022 Radiotherapy Purpose of Reference
6.1.1116 CID 701 Content Assessment Type
6.1.1117 CID 702 RT Content Assessment Type
6.1.1118 CID 703 Assessment Basis
6.1.1119 CID 7449 Reader Specialty
6.1.112 CID 3470 Vessel Lumen Cross-sectional Area Calculation Method
6.1.1120 CID 9233 Requested Report Type
6.1.1121 CID 1000 CT Transverse Plane Reference Basis
6.1.1122 CID 1001 Anatomical Reference Basis
6.1.1123 CID 1002 Anatomical Reference Basis - Head
6.1.1124 CID 1003 Anatomical Reference Basis - Spine
6.1.1125 CID 1004 Anatomical Reference Basis - Chest
6.1.1126 CID 1005 Anatomical Reference Basis - Abdomen/Pelvis
6.1.1127 CID 1006 Anatomical Reference Basis - Extremity
6.1.1128 CID 1010 Reference Geometry - Plane
6.1.1129 CID 1011 Reference Geometry - Point
6.1.113 CID 3471 Estimated Volume
6.1.1130 CID 1015 Patient Alignment Method
6.1.1131 CID 1200 Contraindications For CT Imaging
6.1.1132 CID 7110 Fiducial Category
6.1.1133 CID 7111 Fiducial
6.1.1134 CID 7013 Non-Image Source Instance Purpose of Reference
6.1.1135 CID 7023 RT Process Output
6.1.1136 CID 7024 RT Process Input
6.1.1137 CID 7025 RT Process Input Used
6.1.1138 CID 6300 Prostate Anatomy
6.1.1139 CID 6301 Prostate Sector Anatomy from PI-RADS v2
6.1.114 CID 3472 Cardiac Contraction Phase
6.1.1140 CID 6302 Prostate Sector Anatomy from European Concensus 16 Sector (Minimal) Model
6.1.1141 CID 6303 Prostate Sector Anatomy from European Concensus 27 Sector (Optimal) Model
6.1.1142 CID 12301 Measurement Selection Reason
6.1.1143 CID 12302 Echo Finding Observation Type
6.1.1144 CID 12303 Echo Measurement Type
6.1.1145 CID 12304 Echo Measured Property
6.1.1146 CID 12305 Basic Echo Anatomic Site
6.1.1147 CID 12306 Echo Flow Direction
6.1.1148 CID 12307 Cardiac Phase and Time Point
6.1.1149 CID 12300 Core Echo Measurement
6.1.115 CID 3480 IVUS Procedure Phase
6.1.1150 CID 4270 OCT-A Processing Algorithm Family
6.1.1151 CID 4271 En Face Image Type
6.1.1152 CID 4272 Opt Scan Pattern Type
6.1.1153 CID 4273 Retinal Segmentation Surface
6.1.1154 CID 10060 Organ for Radiation Dose Estimate
6.1.1155 CID 10061 Absorbed Radiation Dose Type
6.1.1156 CID 10062 Equivalent Radiation Dose Type
6.1.1157 CID 10063 Radiation Dose Estimate Distribution Representation
6.1.1158 CID 10064 Patient Model Type
6.1.1159 CID 10065 Radiation Transport Model Type
6.1.116 CID 3481 IVUS Distance Measurement
6.1.1160 CID 10066 Attenuator Category
6.1.1161 CID 10067 Radiation Attenuator Material
6.1.1162 CID 10068 Estimate Method Type
6.1.1163 CID 10069 Radiation Dose Estimate Parameter
6.1.1164 CID 10070 Radiation Dose Type
6.1.1165 CID 7270 MR Diffusion Component Semantic
6.1.1166 CID 7271 MR Diffusion Anisotropy Index
6.1.1167 CID 7272 MR Diffusion Model Parameter
6.1.1168 CID 7273 MR Diffusion Model
6.1.1169 CID 7274 MR Diffusion Model Fitting Method
6.1.117 CID 3482 IVUS Area Measurement
6.1.1170 CID 7275 MR Diffusion Model Specific Method
6.1.1171 CID 7276 MR Diffusion Model Input
6.1.1172 CID 7277 Diffusion Rate Area Over Time Unit
6.1.1173 CID 7039 Pediatric Size Category
6.1.1174 CID 7041 Calcium Scoring Patient Size Category
6.1.1175 CID 10034 Reason for Repeating Acquisition
6.1.1176 CID 800 Protocol Assertion
6.1.1177 CID 7026 Radiotherapeutic Dose Measurement Device
6.1.1178 CID 7014 Export Additional Information Document Title
6.1.1179 CID 7015 Export Delay Reason
6.1.118 CID 3483 IVUS Longitudinal Measurement
6.1.1180 CID 7016 Level of Difficulty
6.1.1181 CID 7017 Category of Teaching Material - Imaging
6.1.1182 CID 7018 Miscellaneous Document Title
6.1.1183 CID 7019 Segmentation Non-Image Source Purpose of Reference
6.1.1184 CID 280 Longitudinal Temporal Event Type
6.1.1185 CID 6401 Non-lesion Object Type - Physical Object
6.1.1186 CID 6402 Non-lesion Object Type - Substance
6.1.1187 CID 6403 Non-lesion Object Type - Tissue
6.1.1188 CID 6404 Chest Non-lesion Object Type - Physical Object
6.1.1189 CID 6405 Chest Non-lesion Object Type - Tissue
6.1.119 CID 3484 IVUS Index/Ratio
6.1.1190 CID 7191 Tissue Segmentation Property Type
6.1.1191 CID 7192 Anatomical Structure Segmentation Property Type
6.1.1192 CID 7193 Physical Object Segmentation Property Type
6.1.1193 CID 7194 Morphologically Abnormal Structure Segmentation Property Type
6.1.1194 CID 7195 Function Segmentation Property Type
6.1.1195 CID 7196 Spatial and Relational Concept Segmentation Property Type
6.1.1196 CID 7197 Body Substance Segmentation Property Type
6.1.1197 CID 7198 Substance Segmentation Property Type
6.1.1198 CID 9303 Interpretation Request Discontinuation Reason
6.1.1199 CID 7475 Gray Level Run Length Based Feature
6.1.12 CID 18 Radiopharmaceutical Isotope
6.1.120 CID 3485 IVUS Volume Measurement
6.1.1200 CID 7476 Gray Level Size Zone Based Feature
6.1.1201 CID 7060 Encapsulated Document Source Purpose of Reference
6.1.1202 CID 7061 Model Document Title
6.1.1203 CID 7062 Purpose of Reference to Predecessor 3D Model
6.1.1204 CID 7063 Model Scale Unit
6.1.1205 CID 7064 Model Usage
6.1.1206 CID 10071 Radiation Dose Unit
6.1.1207 CID 7112 Radiotherapy Fiducial
6.1.1208 CID 300 Multi-energy Relevant Material
6.1.1209 CID 301 Multi-energy Material Unit
6.1.121 CID 3486 Vascular Measurement Site
6.1.1210 CID 9500 Dosimetric Objective Type
6.1.1211 CID 9501 Prescription Anatomy Category
6.1.1212 CID 9502 RT Segment Annotation Category
6.1.1213 CID 9503 Radiotherapy Therapeutic Role Category
6.1.1214 CID 9504 RT Geometric Information
6.1.1215 CID 9505 Fixation or Positioning Device
6.1.1216 CID 9506 Brachytherapy Device
6.1.1217 CID 9507 External Body Model
6.1.1218 CID 9508 Non-specific Volume
6.1.1219 CID 9509 Purpose of Reference For RT Physician Intent Input
6.1.122 CID 3487 Intravascular Volumetric Region
6.1.1220 CID 9510 Purpose of Reference For RT Treatment Planning Input
6.1.1221 CID 9511 General External Radiotherapy Procedure Technique
6.1.1222 CID 9512 Tomotherapeutic Radiotherapy Procedure Technique
6.1.1223 CID 9513 Fixation Device
6.1.1224 CID 9514 Anatomical Structure For Radiotherapy
6.1.1225 CID 9515 RT Patient Support Device
6.1.1226 CID 9516 Radiotherapy Bolus Device Type
6.1.1227 CID 9517 Radiotherapy Block Device Type
6.1.1228 CID 9518 Radiotherapy Accessory No-slot Holder Device Type
6.1.1229 CID 9519 Radiotherapy Accessory Slot Holder Device Type
6.1.123 CID 3488 Min/Max/Mean
6.1.1230 CID 9520 Segmented RT Accessory Device
6.1.1231 CID 9521 Radiotherapy Treatment Energy Unit
6.1.1232 CID 9522 Multi-source Radiotherapy Procedure Technique
6.1.1233 CID 9523 Robotic Radiotherapy Procedure Technique
6.1.1234 CID 9524 Radiotherapy Procedure Technique
6.1.1235 CID 9525 Radiation Therapy Particle
6.1.1236 CID 9526 Ion Therapy Particle
6.1.1237 CID 9527 Teletherapy Isotope
6.1.1238 CID 9528 Brachytherapy Isotope
6.1.1239 CID 9529 Single Dose Dosimetric Objective
6.1.124 CID 3489 Calcium Distribution
6.1.1240 CID 9530 Percentage and Dose Dosimetric Objective
6.1.1241 CID 9531 Volume and Dose Dosimetric Objective
6.1.1242 CID 9532 No-Parameter Dosimetric Objective
6.1.1243 CID 9533 Delivery Time Structure
6.1.1244 CID 9534 Radiotherapy Target
6.1.1245 CID 9535 Radiotherapy Dose Calculation Role
6.1.1246 CID 9536 Radiotherapy Prescribing and Segmenting Person Role
6.1.1247 CID 9537 Effective Dose Calculation Method Category
6.1.1248 CID 9538 Radiation Transport-based Effective Dose Method Modifier
6.1.1249 CID 9539 Fractionation-based Effective Dose Method Modifier
6.1.125 CID 3491 IVUS Lesion Morphology
6.1.1250 CID 60 Imaging Agent Administration Adverse Event
6.1.1251 CID 61 Time Relative to Procedure (Retired)
6.1.1252 CID 62 Imaging Agent Administration Phase Type
6.1.1253 CID 63 Imaging Agent Administration Mode
6.1.1254 CID 64 Imaging Agent Administration Patient State
6.1.1255 CID 65 Imaging Agent Administration Premedication
6.1.1256 CID 66 Imaging Agent Administration Medication
6.1.1257 CID 67 Imaging Agent Administration Completion Status
6.1.1258 CID 68 Imaging Agent Administration Pharmaceutical Presentation Unit
6.1.1259 CID 69 Imaging Agent Administration Consumable
6.1.126 CID 3492 Vascular Dissection Classification
6.1.1260 CID 70 Flush
6.1.1261 CID 71 Imaging Agent Administration Injector Event Type
6.1.1262 CID 72 Imaging Agent Administration Step Type
6.1.1263 CID 73 Bolus Shaping Curve
6.1.1264 CID 74 Imaging Agent Administration Consumable Catheter Type
6.1.1265 CID 75 Low High or Equal
6.1.1266 CID 76 Premedication Type
6.1.1267 CID 245 Laterality with Median
6.1.1268 CID 4029 Dermatology Anatomic Site
6.1.1269 CID 218 Quantitative Image Feature
6.1.127 CID 3493 IVUS Relative Stenosis Severity
6.1.1270 CID 7477 Global Shape Descriptor
6.1.1271 CID 7478 Intensity Histogram Feature
6.1.1272 CID 7479 Grey Level Distance Zone Based Feature
6.1.1273 CID 7500 Neighbourhood Grey Tone Difference Based Feature
6.1.1274 CID 7501 Neighbouring Grey Level Dependence Based Feature
6.1.1275 CID 4242 Cornea Measurement Method Descriptor
6.1.1276 CID 7027 Segmented Radiotherapeutic Dose Measurement Device
6.1.1277 CID 6098 Clinical Course of Disease
6.1.1278 CID 6099 Racial Group
6.1.1279 CID 246 Relative Laterality
6.1.128 CID 3494 IVUS Non Morphological Finding
6.1.1280 CID 7168 Brain Lesion Segmentation Type With Necrosis
6.1.1281 CID 7169 Brain Lesion Segmentation Type Without Necrosis
6.1.1282 CID 32 Non-Acquisition Modality
6.1.1283 CID 33 Modality
6.1.1284 CID 247 Laterality Left-Right Only
6.1.1285 CID 210 Qualitative Evaluation Modifier Type
6.1.1286 CID 211 Qualitative Evaluation Modifier Value
6.1.1287 CID 212 Generic Anatomic Location Modifier
6.1.1288 CID 9541 Beam Limiting Device Type
6.1.1289 CID 9542 Compensator Device Type
6.1.129 CID 3495 IVUS Plaque Composition
6.1.1290 CID 9543 Radiotherapy Treatment Machine Mode
6.1.1291 CID 9544 Radiotherapy Distance Reference Location
6.1.1292 CID 9545 Fixed Beam Limiting Device Type
6.1.1293 CID 9546 Radiotherapy Wedge Type
6.1.1294 CID 9547 RT Beam Limiting Device Orientation Label
6.1.1295 CID 9548 General Accessory Device Type
6.1.1296 CID 9549 Radiation Generation Mode Type
6.1.1297 CID 9550 C-Arm Photon-Electron Delivery Rate Unit
6.1.1298 CID 9551 Treatment Delivery Device Type
6.1.1299 CID 9552 C-Arm Photon-Electron Dosimeter Unit
6.1.13 CID 19 Patient Orientation
6.1.130 CID 3496 IVUS Fiducial Point
6.1.1300 CID 9553 Treatment Point
6.1.1301 CID 9554 Equipment Reference Point
6.1.1302 CID 9555 Radiotherapy Treatment Planning Person Role
6.1.1303 CID 7070 Real Time Video Rendition Title
6.1.1304 CID 219 Geometry Graphical Representation
6.1.1305 CID 217 Visual Explanation
6.1.1306 CID 6304 Prostate Sector Anatomy from PI-RADS v2.1
6.1.1307 CID 9556 Radiotherapy Robotic Node Set
6.1.1308 CID 9557 Tomotherapeutic Dosimeter Unit
6.1.1309 CID 9558 Tomotherapeutic Dose Rate Unit
6.1.131 CID 3497 IVUS Arterial Morphology
6.1.1310 CID 9559 Robotic Delivery Device Dosimeter Unit
6.1.1311 CID 9560 Robotic Delivery Device Dose Rate Unit
6.1.1312 CID 8134 Anatomic Structure
6.1.1313 CID 6148 Mediastinum Finding or Feature
6.1.1314 CID 6149 Mediastinum Anatomy
6.1.1315 CID 12100 Vascular Ultrasound Report Document Title
6.1.1316 CID 12130 Organ Part (Non-Lateralized)
6.1.1317 CID 12131 Organ Part (Lateralized)
6.1.1318 CID 9561 Treatment Termination Reason
6.1.1319 CID 9562 Radiotherapy Treatment Delivery Person Role
6.1.132 CID 3500 Pressure Unit
6.1.1320 CID 9563 Radiotherapy Interlock Resolution
6.1.1321 CID 9564 Treatment Session Confirmation Assertion
6.1.1322 CID 9565 Treatment Tolerance Violation Cause
6.1.1323 CID 9566 Clinical Tolerance Violation Type
6.1.1324 CID 9567 Machine Tolerance Violation Type
6.1.1325 CID 9568 Radiotherapy Treatment Interlock
6.1.1326 CID 9569 Isocentric Patient Support Position Parameter
6.1.1327 CID 9570 RT Overridden Treatment Parameter
6.1.1328 CID 3030 EEG Lead
6.1.1329 CID 3031 Lead Location Near or in Muscle
6.1.133 CID 3502 Hemodynamic Resistance Unit
6.1.1330 CID 3032 Lead Location Near Peripheral Nerve
6.1.1331 CID 3033 EOG Lead
6.1.1332 CID 3034 Body Position Channel
6.1.1333 CID 3035 EEG Annotation - Neurophysiologic Enumeration
6.1.1334 CID 3036 EMG Annotation - Neurophysiological Enumeration
6.1.1335 CID 3037 EOG Annotation - Neurophysiological Enumeration
6.1.1336 CID 3038 Pattern Event
6.1.1337 CID 3039 Device-related and Environment-related Event
6.1.1338 CID 3040 EEG Annotation - Neurological Monitoring Measurement
6.1.1339 CID 12024 OB-GYN Ultrasound Report Document Title
6.1.134 CID 3503 Indexed Hemodynamic Resistance Unit
6.1.1340 CID 7230 Automation of Measurement
6.1.1341 CID 12025 OB-GYN Ultrasound Beam Path
6.1.1342 CID 7550 Angle Measurement
6.1.1343 CID 7551 Generic Purpose of Reference to Images and Coordinates in Measurement
6.1.1344 CID 7552 Generic Purpose of Reference to Images in Measurement
6.1.1345 CID 7553 Generic Purpose of Reference to Coordinates in Measurement
6.1.1346 CID 4401 Fitzpatrick Skin Type
6.1.1347 CID 4402 History of Malignant Melanoma
6.1.1348 CID 4403 History of Melanoma in Situ
6.1.1349 CID 4404 History of Non-Melanoma Skin Cancer
6.1.135 CID 3510 Catheter Size Unit
6.1.1350 CID 4405 Skin Disorder
6.1.1351 CID 4406 Patient Reported Lesion Characteristic
6.1.1352 CID 4407 Lesion Palpation Finding
6.1.1353 CID 4408 Lesion Visual Finding
6.1.1354 CID 4409 Skin Procedure
6.1.1355 CID 12125 Abdominopelvic Vessel
6.1.1356 CID 43 Numeric Value Failure Qualifier
6.1.1357 CID 44 Numeric Value Unknown Qualifier
6.1.1358 CID 7170 Couinaud Liver Segment
6.1.1359 CID 7171 Liver Segmentation Type
6.1.136 CID 3515 Specimen Collection
6.1.1360 CID 1201 Contraindications For XA Imaging
6.1.1361 CID 3041 Neurophysiologic Stimulation Mode
6.1.1362 CID 10072 Reported Value Type
6.1.1363 CID 10073 Value Timing
6.1.1364 CID 10074 RDSR Frame of Reference Origin
6.1.1365 CID 8135 Microscopy Annotation Property Type
6.1.1366 CID 8136 Microscopy Measurement Type
6.1.1367 CID 6310 Prostate Reporting System
6.1.1368 CID 6311 MR Signal Intensity
6.1.1369 CID 6312 Cross-sectional Scan Plane Orientation
6.1.137 CID 3520 Blood Source Type
6.1.1370 CID 6313 History of Prostate Disease
6.1.1371 CID 6314 Prostate MRI Study Quality Finding
6.1.1372 CID 6315 Prostate MRI Series Quality Finding
6.1.1373 CID 6316 MR Imaging Artifact
6.1.1374 CID 6317 Prostate DCE MRI Quality Finding
6.1.1375 CID 6318 Prostate DWI MRI Quality Finding
6.1.1376 CID 6319 Abdominal Intervention Type
6.1.1377 CID 6320 Abdominopelvic Intervention
6.1.1378 CID 6321 Prostate Cancer Diagnostic Procedure
6.1.1379 CID 6322 Prostate Cancer Family History
6.1.138 CID 3524 Blood Gas Pressure
6.1.1380 CID 6323 Prostate Cancer Therapy
6.1.1381 CID 6324 Prostate MRI Assessment
6.1.1382 CID 6325 Overall Assessment from PI-RADS®
6.1.1383 CID 6326 Image Quality Control Standard
6.1.1384 CID 6327 Prostate Imaging Indication
6.1.1385 CID 6328 PI-RADS® v2 Lesion Assessment Category
6.1.1386 CID 6329 PI-RADS® v2 T2WI PZ Lesion Assessment Category
6.1.1387 CID 6330 PI-RADS® v2 T2WI TZ Lesion Assessment Category
6.1.1388 CID 6331 PI-RADS® v2 DWI Lesion Assessment Category
6.1.1389 CID 6332 PI-RADS® v2 DCE Lesion Assessment Category
6.1.139 CID 3525 Blood Gas Content
6.1.1390 CID 6333 mpMRI Assessment Type
6.1.1391 CID 6334 mpMRI Assessment Type from PI-RADS®
6.1.1392 CID 6335 mpMRI Assessment Value
6.1.1393 CID 6336 MRI Abnormality
6.1.1394 CID 6337 mpMRI Prostate Abnormality from PI-RADS®
6.1.1395 CID 6338 mpMRI Benign Prostate Abnormality from PI-RADS®
6.1.1396 CID 6339 MRI Shape Characteristic
6.1.1397 CID 6340 Prostate MRI Shape Characteristic from PI-RADS®
6.1.1398 CID 6341 MRI Margin Characteristic
6.1.1399 CID 6342 Prostate MRI Margin Characteristic from PI-RADS®
6.1.14 CID 20 Patient Orientation Modifier
6.1.140 CID 3526 Blood Gas Saturation
6.1.1400 CID 6343 MRI Signal Characteristic
6.1.1401 CID 6344 Prostate MRI Signal Characteristic from PI-RADS®
6.1.1402 CID 6345 MRI Enhancement Pattern
6.1.1403 CID 6346 Prostate MRI Enhancement Pattern from PI-RADS®
6.1.1404 CID 6347 Prostate MRI Extra-prostatic Finding
6.1.1405 CID 6348 Prostate MRI Assessment of Extra-prostatic Anatomic Site
6.1.1406 CID 6349 MR Coil Type
6.1.1407 CID 6350 Endorectal Coil Fill Substance
6.1.1408 CID 6351 Prostate Relational Measurement
6.1.1409 CID 6352 Prostate Cancer Diagnostic Blood Lab Measurement
6.1.141 CID 3527 Blood Base Excess
6.1.1410 CID 6353 Prostate Imaging Types of Quality Control Standard
6.1.1411 CID 12308 Ultrasound Shear Wave Measurement
6.1.1412 CID 3780 Left Ventricle Myocardial Wall 16 Segment Model (Retired)
6.1.1413 CID 3781 Left Ventricle Myocardial Wall 18 Segment Model
6.1.1414 CID 3782 Left Ventricle Basal Wall 6 Segments
6.1.1415 CID 3783 Left Ventricle Midlevel Wall 6 Segments
6.1.1416 CID 3784 Left Ventricle Apical Wall 4 Segments
6.1.1417 CID 3785 Left Ventricle Apical Wall 6 Segments
6.1.1418 CID 9571 Patient Treatment Preparation Method
6.1.1419 CID 9572 Patient Shielding Device
6.1.142 CID 3528 Blood pH
6.1.1420 CID 9573 Patient Treatment Preparation Device
6.1.1421 CID 9574 Patient Position Displacement Reference Point
6.1.1422 CID 9575 Patient Alignment Device
6.1.1423 CID 9576 Reasons for RT Radiation Treatment Omission
6.1.1424 CID 9577 Patient Treatment Preparation Procedure
6.1.1425 CID 9578 Motion Management Setup Device
6.1.1426 CID 12309 Core Echo Strain Measurement
6.1.1427 CID 12310 Myocardial Strain Method
6.1.1428 CID 12311 Echo Measured Strain Property
6.1.1429 CID 3020 Assessment from CAD-RADS™
6.1.143 CID 3529 Arterial / Venous Content
6.1.1430 CID 3021 CAD-RADS™ Stenosis Assessment Modifier
6.1.1431 CID 3022 CAD-RADS™ Assessment Modifier
6.1.1432 CID 9579 RT Segment Material
6.1.1433 CID 7602 Vertebral Anatomic Structure
6.1.1434 CID 7603 Vertebra
6.1.1435 CID 7604 Intervertebral Disc
6.1.1436 CID 101 Imaging Procedure
6.1.1437 CID 103 NICIP Short Code Imaging Procedure
6.1.1438 CID 104 NICIP SNOMED Imaging Procedure
6.1.1439 CID 105 ICD-10-PCS Imaging Procedure
6.1.144 CID 3530 Oxygen Administration Action
6.1.1440 CID 106 ICD-10-PCS Nuclear Medicine Procedure
6.1.1441 CID 107 ICD-10-PCS Radiation Therapy Procedure
6.1.1442 CID 9580 RT Segmentation Property Category
6.1.1443 CID 9581 Radiotherapy Registration Mark
6.1.1444 CID 9582 Radiotherapy Dose Region
6.1.1445 CID 7199 Anatomically Localized Lesion Segmentation Type
6.1.1446 CID 7031 Reason for Removal from Operational Use
6.1.1447 CID 12320 General Ultrasound Report Document Title
6.1.1448 CID 12321 Elastography Site
6.1.1449 CID 12322 Elastography Measurement Site
6.1.145 CID 3531 Oxygen Administration
6.1.1450 CID 12323 Ultrasound Relevant Patient Condition
6.1.1451 CID 12324 Shear Wave Detection Method
6.1.1452 CID 12325 Liver Ultrasound Study Indication
6.1.1453 CID 3042 Analog Waveform Filter
6.1.1454 CID 3043 Digital Waveform Filter
6.1.1455 CID 3044 Waveform Filter Lookup Table Input Frequency Unit
6.1.1456 CID 3045 Waveform Filter Lookup Table Output Magnitude Unit
6.1.1457 CID 272 Specific Observation Subject Class
6.1.1458 CID 9540 Movable Beam Limiting Device Type
6.1.1459 CID 9260 Radiotherapy Acquisition WorkItem Subtasks
6.1.146 CID 3550 Circulatory Support Action
6.1.1460 CID 9261 Patient Position Acquisition Radiation Source Locations
6.1.1461 CID 9262 Energy Derivation Types
6.1.1462 CID 9263 KV Imaging Acquisition Techniques
6.1.1463 CID 9264 MV Imaging Acquisition Techniques
6.1.1464 CID 9265 Patient Position Acquisition - Projection Techniques
6.1.1465 CID 9266 Patient Position Acquisition - CT Techniques
6.1.1466 CID 9267 Patient Positioning Related Object Purposes
6.1.1467 CID 9268 Patient Position Acquisition Devices
6.1.1468 CID 9269 RT Radiation Meterset Units
6.1.1469 CID 9270 Acquisition Initiation Types
6.1.147 CID 3551 Ventilation Action
6.1.1470 CID 9271 RT Image Patient Position Acquisition Devices
6.1.1471 CID 11001 Photoacoustic Illumination Method
6.1.1472 CID 11002 Acoustic Coupling Medium
6.1.1473 CID 11003 Ultrasound Transducer Technology
6.1.1474 CID 11004 Speed of Sound Correction Mechanisms
6.1.1475 CID 11005 Photoacoustic Reconstruction Algorithm Family
6.1.1476 CID 11006 Photoacoustic Imaged Property
6.1.1477 CID 10005 X-Ray Radiation Dose Procedure Type Reported
6.1.1478 CID 4410 Topical Treatment
6.1.1479 CID 4411 Lesion Color
6.1.148 CID 3552 Pacing Action
6.1.1480 CID 4412 Specimen Stain for Confocal Microscopy
6.1.1481 CID 9272 RT ROI Image Acquisition Context
6.1.1482 CID 6170 Lobe of Lung
6.1.1483 CID 6171 Zone of Lung
6.1.1484 CID 3046 Sleep Stage
6.1.1485 CID 9273 Patient Position Acquisition - MR Techniques
6.1.1486 CID 9583 RT Plan Radiotherapy Procedure Technique
6.1.1487 CID 3047 Waveform Annotation Classification
6.1.1488 CID 3048 Waveform Annotations Document Title
6.1.1489 CID 3049 EEG Procedure
6.1.149 CID 3553 Circulatory Support
6.1.1490 CID 3050 Patient Consciousness
6.1.15 CID 21 Patient Equipment Relationship
6.1.150 CID 3554 Ventilation
6.1.151 CID 3555 Pacing
6.1.152 CID 3560 Blood Pressure Method
6.1.153 CID 3600 Relative Time
6.1.154 CID 3602 Hemodynamic Patient State
6.1.155 CID 3604 Arterial Lesion Location
6.1.156 CID 3606 Arterial Source Location
6.1.157 CID 3607 Venous Source Location
6.1.158 CID 3608 Atrial Source Location
6.1.159 CID 3609 Ventricular Source Location
6.1.16 CID 23 Cranio-Caudad Angulation
6.1.160 CID 3610 Gradient Source Location
6.1.161 CID 3611 Pressure Measurement
6.1.162 CID 3612 Blood Velocity Measurement
6.1.163 CID 3613 Hemodynamic Time Measurement
6.1.164 CID 3614 Non-mitral Valve Area
6.1.165 CID 3615 Valve Area
6.1.166 CID 3616 Hemodynamic Period Measurement
6.1.167 CID 3617 Valve Flow
6.1.168 CID 3618 Hemodynamic Flow
6.1.169 CID 3619 Hemodynamic Resistance Measurement
6.1.17 CID 25 Radiopharmaceutical
6.1.170 CID 3620 Hemodynamic Ratio
6.1.171 CID 3621 Fractional Flow Reserve
6.1.172 CID 3627 Measurement Type
6.1.173 CID 3628 Cardiac Output Method
6.1.174 CID 3629 Procedure Intent
6.1.175 CID 3630 Cardiovascular Anatomic Location
6.1.176 CID 3640 Hypertension
6.1.177 CID 3641 Hemodynamic Assessment
6.1.178 CID 3642 Degree Finding
6.1.179 CID 3651 Hemodynamic Measurement Phase
6.1.18 CID 26 Nuclear Medicine Projection
6.1.180 CID 3663 Body Surface Area Equation
6.1.181 CID 3664 Oxygen Consumption Equation/Table
6.1.182 CID 3666 P50 Equation
6.1.183 CID 3667 Framingham Score
6.1.184 CID 3668 Framingham Table
6.1.185 CID 3670 ECG Procedure Type
6.1.186 CID 3671 Reason for ECG Study
6.1.187 CID 3672 Pacemaker
6.1.188 CID 3673 Diagnosis (Retired)
6.1.189 CID 3675 Other Filters (Retired)
6.1.19 CID 29 Acquisition Modality
6.1.190 CID 3676 Lead Measurement Technique
6.1.191 CID 3677 Summary Codes ECG
6.1.192 CID 3678 QT Correction Algorithm
6.1.193 CID 3679 ECG Morphology Description (Retired)
6.1.194 CID 3680 ECG Lead Noise Description
6.1.195 CID 3681 ECG Lead Noise Modifier (Retired)
6.1.196 CID 3682 Probability (Retired)
6.1.197 CID 3683 Modifier (Retired)
6.1.198 CID 3684 Trend (Retired)
6.1.199 CID 3685 Conjunctive Term (Retired)
6.1.2 CID 4 Anatomic Region
6.1.20 CID 30 DICOM Device
6.1.200 CID 3686 ECG Interpretive Statement (Retired)
6.1.201 CID 3687 Electrophysiology Waveform Duration
6.1.202 CID 3688 Electrophysiology Waveform Voltage
6.1.203 CID 3700 Cath Diagnosis
6.1.204 CID 3701 Cardiac Valve/Tract
6.1.205 CID 3703 Wall Motion
6.1.206 CID 3704 Myocardium Wall Morphology Finding
6.1.207 CID 3705 Chamber Size
6.1.208 CID 3706 Overall Contractility
6.1.209 CID 3707 VSD Description
6.1.21 CID 31 Abstract Prior
6.1.210 CID 3709 Aortic Root Description
6.1.211 CID 3710 Coronary Dominance
6.1.212 CID 3711 Valvular Abnormality
6.1.213 CID 3712 Vessel Descriptor
6.1.214 CID 3713 TIMI Flow Characteristic
6.1.215 CID 3714 Thrombus
6.1.216 CID 3715 Lesion Margin
6.1.217 CID 3716 Severity
6.1.218 CID 3717 Left Ventricle Myocardial Wall 17 Segment Model
6.1.219 CID 3718 Myocardial Wall Segments in Projection
6.1.22 CID 42 Numeric Value Qualifier
6.1.220 CID 3719 Canadian Clinical Classification
6.1.221 CID 3720 Cardiac History Date (Retired)
6.1.222 CID 3721 Cardiovascular Surgery
6.1.223 CID 3722 Diabetic Therapy
6.1.224 CID 3723 MI Type
6.1.225 CID 3724 Smoking History
6.1.226 CID 3726 Coronary Intervention Indication
6.1.227 CID 3727 Catheterization Indication
6.1.228 CID 3728 Cath Finding
6.1.229 CID 3729 Admission Status
6.1.23 CID 82 Measurement Unit
6.1.230 CID 3730 Insurance Payor
6.1.231 CID 3733 Primary Cause of Death
6.1.232 CID 3735 Acute Coronary Syndrome Time Period
6.1.233 CID 3736 NYHA Classification
6.1.234 CID 3737 Ischemia Non-invasive Test
6.1.235 CID 3738 Pre-Cath Angina Type
6.1.236 CID 3739 Cath Procedure Type
6.1.237 CID 3740 Thrombolytic Administration
6.1.238 CID 3741 Lab Visit Medication Administration
6.1.239 CID 3742 PCI Medication Administration
6.1.24 CID 83 Real World Value Mapping Unit
6.1.240 CID 3743 Clopidogrel/Ticlopidine Administration
6.1.241 CID 3744 EF Testing Method
6.1.242 CID 3745 Calculation Method
6.1.243 CID 3746 Percutaneous Entry Site
6.1.244 CID 3747 Percutaneous Closure
6.1.245 CID 3748 Angiographic EF Testing Method
6.1.246 CID 3749 PCI Procedure Result
6.1.247 CID 3750 Previously Dilated Lesion
6.1.248 CID 3752 Guidewire Crossing
6.1.249 CID 3754 Vascular Complication
6.1.25 CID 220 Significance Level
6.1.250 CID 3755 Cath Complication
6.1.251 CID 3756 Cardiac Patient Risk Factor
6.1.252 CID 3757 Cardiac Diagnostic Procedure
6.1.253 CID 3758 Cardiovascular Family History
6.1.254 CID 3760 Hypertension Therapy
6.1.255 CID 3761 Antilipemic Agent
6.1.256 CID 3762 Antiarrhythmic Agent
6.1.257 CID 3764 Myocardial Infarction Therapy
6.1.258 CID 3769 Concern Type
6.1.259 CID 3770 Problem Status
6.1.26 CID 221 Measurement Range Concept
6.1.260 CID 3772 Health Status
6.1.261 CID 3773 Use Status
6.1.262 CID 3774 Social History
6.1.263 CID 3777 Implanted Device
6.1.264 CID 3802 Plaque Structure
6.1.265 CID 3804 Stenosis Measurement Method
6.1.266 CID 3805 Stenosis Type
6.1.267 CID 3806 Stenosis Shape
6.1.268 CID 3807 Volume Measurement Method
6.1.269 CID 3808 Aneurysm Type
6.1.27 CID 222 Normality
6.1.270 CID 3809 Associated Condition
6.1.271 CID 3810 Vascular Morphology
6.1.272 CID 3813 Stent Finding
6.1.273 CID 3814 Stent Composition
6.1.274 CID 3815 Source of Vascular Finding
6.1.275 CID 3817 Vascular Sclerosis Type
6.1.276 CID 3820 Non-invasive Vascular Procedure
6.1.277 CID 3821 Papillary Muscle Included/Excluded
6.1.278 CID 3823 Respiratory Status
6.1.279 CID 3826 Heart Rhythm
6.1.28 CID 223 Normal Range Value
6.1.280 CID 3827 Vessel Segment
6.1.281 CID 3829 Pulmonary Artery
6.1.282 CID 3831 Stenosis Length
6.1.283 CID 3832 Stenosis Grade
6.1.284 CID 3833 Cardiac Ejection Fraction
6.1.285 CID 3835 Cardiac Volume Measurement
6.1.286 CID 3836 Time-based Perfusion Measurement
6.1.287 CID 3837 Fiducial Feature
6.1.288 CID 3838 Diameter Derivation
6.1.289 CID 3839 Coronary Vein
6.1.29 CID 224 Selection Method
6.1.290 CID 3840 Pulmonary Vein
6.1.291 CID 3843 Myocardial Subsegment
6.1.292 CID 4005 Partial View Section for Mammography
6.1.293 CID 4009 DX Anatomy Imaged
6.1.294 CID 4010 DX View
6.1.295 CID 4011 DX View Modifier
6.1.296 CID 4012 Projection Eponymous Name
6.1.297 CID 4013 Anatomic Region for Mammography
6.1.298 CID 4014 View for Mammography
6.1.299 CID 4015 View Modifier for Mammography
6.1.3 CID 5 Transducer Approach
6.1.30 CID 225 Measurement Uncertainty Concept
6.1.300 CID 4016 Anatomic Region for Intra-oral Radiography
6.1.301 CID 4017 Anatomic Region Modifier for Intra-oral Radiography
6.1.302 CID 4018 Primary Anatomic Structure for Intra-oral Radiography (Permanent Dentition - Designation of Teeth)
6.1.303 CID 4019 Primary Anatomic Structure for Intra-oral Radiography (Deciduous Dentition - Designation of Teeth)
6.1.304 CID 4020 PET Radionuclide
6.1.305 CID 4021 PET Radiopharmaceutical
6.1.306 CID 4028 Craniofacial Anatomic Region
6.1.307 CID 4030 CT, MR and PET Anatomy Imaged
6.1.308 CID 4031 Common Anatomic Region
6.1.309 CID 4032 MR Spectroscopy Metabolite
6.1.31 CID 226 Population Statistical Descriptor
6.1.310 CID 4033 MR Proton Spectroscopy Metabolite
6.1.311 CID 4040 Endoscopy Anatomic Region
6.1.312 CID 4042 XA/XRF Anatomy Imaged
6.1.313 CID 4050 Drug or Contrast Agent Characteristic
6.1.314 CID 4051 General Device
6.1.315 CID 4052 Phantom Device
6.1.316 CID 4200 Ophthalmic Imaging Agent
6.1.317 CID 4201 Patient Eye Movement Command
6.1.318 CID 4202 Ophthalmic Photography Acquisition Device
6.1.319 CID 4203 Ophthalmic Photography Illumination
6.1.32 CID 227 Sample Statistical Descriptor
6.1.320 CID 4204 Ophthalmic Filter
6.1.321 CID 4205 Ophthalmic Lens
6.1.322 CID 4206 Ophthalmic Channel Description
6.1.323 CID 4207 Ophthalmic Image Position
6.1.324 CID 4208 Mydriatic Agent
6.1.325 CID 4209 Ophthalmic Anatomic Structure Imaged
6.1.326 CID 4210 Ophthalmic Tomography Acquisition Device
6.1.327 CID 4211 Ophthalmic OCT Anatomic Structure Imaged
6.1.328 CID 5000 Language
6.1.329 CID 5001 Country
6.1.33 CID 228 Equation or Table
6.1.330 CID 6000 Overall Breast Composition
6.1.331 CID 6001 Overall Breast Composition from BI-RADS®
6.1.332 CID 6002 Change Since Last Mammogram or Prior Surgery
6.1.333 CID 6003 Change Since Last Mammogram or Prior Surgery from BI-RADS®
6.1.334 CID 6004 Mammography Shape Characteristic
6.1.335 CID 6005 Shape Characteristic from BI-RADS®
6.1.336 CID 6006 Mammography Margin Characteristic
6.1.337 CID 6007 Margin Characteristic from BI-RADS®
6.1.338 CID 6008 Density Modifier
6.1.339 CID 6009 Density Modifier from BI-RADS®
6.1.34 CID 230 Yes-No
6.1.340 CID 6010 Mammography Calcification Type
6.1.341 CID 6011 Calcification Type from BI-RADS®
6.1.342 CID 6012 Calcification Distribution Modifier
6.1.343 CID 6013 Calcification Distribution Modifier from BI-RADS®
6.1.344 CID 6014 Mammography Single Image Finding
6.1.345 CID 6015 Single Image Finding from BI-RADS®
6.1.346 CID 6016 Mammography Composite Feature
6.1.347 CID 6017 Composite Feature from BI-RADS®
6.1.348 CID 6018 Clockface Location or Region
6.1.349 CID 6019 Clockface Location or Region from BI-RADS®
6.1.35 CID 240 Present-Absent
6.1.350 CID 6020 Quadrant Location
6.1.351 CID 6021 Quadrant Location from BI-RADS®
6.1.352 CID 6022 Side
6.1.353 CID 6023 Side from BI-RADS®
6.1.354 CID 6024 Depth
6.1.355 CID 6025 Depth from BI-RADS®
6.1.356 CID 6026 Mammography Assessment
6.1.357 CID 6027 Assessment from BI-RADS®
6.1.358 CID 6028 Mammography Recommended Follow-up
6.1.359 CID 6029 Recommended Follow-up from BI-RADS®
6.1.36 CID 242 Normal-Abnormal
6.1.360 CID 6030 Mammography Pathology Code
6.1.361 CID 6031 Benign Pathology Code from BI-RADS®
6.1.362 CID 6032 High Risk Lesion Pathology Code from BI-RADS®
6.1.363 CID 6033 Malignant Pathology Code from BI-RADS®
6.1.364 CID 6034 CAD Output Intended Use
6.1.365 CID 6035 Composite Feature Relation
6.1.366 CID 6036 Feature Scope
6.1.367 CID 6037 Mammography Quantitative Temporal Difference Type
6.1.368 CID 6038 Mammography Qualitative Temporal Difference Type
6.1.369 CID 6039 Nipple Characteristic
6.1.37 CID 244 Laterality
6.1.370 CID 6040 Non-lesion Object Type
6.1.371 CID 6041 Mammography Image Quality Finding
6.1.372 CID 6042 Result Status
6.1.373 CID 6043 Mammography CAD Analysis Type
6.1.374 CID 6044 Image Quality Assessment Type
6.1.375 CID 6045 Mammography Quality Control Standard Type
6.1.376 CID 6046 Follow-up Interval Unit
6.1.377 CID 6047 CAD Processing and Finding Summary
6.1.378 CID 6048 CAD Operating Point Axis Label
6.1.379 CID 6050 Breast Procedure Reported
6.1.38 CID 250 Positive-Negative
6.1.380 CID 6051 Breast Procedure Reason
6.1.381 CID 6052 Breast Imaging Report Section Title
6.1.382 CID 6053 Breast Imaging Report Element
6.1.383 CID 6054 Breast Imaging Finding
6.1.384 CID 6055 Breast Clinical Finding or Indicated Problem
6.1.385 CID 6056 Associated Finding for Breast
6.1.386 CID 6057 Ductography Finding for Breast
6.1.387 CID 6058 Procedure Modifiers for Breast
6.1.388 CID 6059 Breast Implant Type
6.1.389 CID 6060 Breast Biopsy Technique
6.1.39 CID 251 Complication Severity
6.1.390 CID 6061 Breast Imaging Procedure Modifier
6.1.391 CID 6062 Interventional Procedure Complication
6.1.392 CID 6063 Interventional Procedure Result
6.1.393 CID 6064 Ultrasound Finding for Breast
6.1.394 CID 6065 Instrument Approach
6.1.395 CID 6066 Target Confirmation
6.1.396 CID 6067 Fluid Color
6.1.397 CID 6068 Tumor Stages From AJCC
6.1.398 CID 6069 Nottingham Combined Histologic Grade
6.1.399 CID 6070 Bloom-Richardson Histologic Grade
6.1.4 CID 6 Transducer Orientation
6.1.40 CID 270 Observer Type
6.1.400 CID 6071 Histologic Grading Method
6.1.401 CID 6072 Breast Implant Finding
6.1.402 CID 6080 Gynecological Hormone
6.1.403 CID 6081 Breast Cancer Risk Factor
6.1.404 CID 6082 Gynecological Procedure
6.1.405 CID 6083 Procedures for Breast
6.1.406 CID 6084 Mammoplasty Procedure
6.1.407 CID 6085 Therapies for Breast
6.1.408 CID 6086 Menopausal Phase
6.1.409 CID 6087 General Risk Factor
6.1.41 CID 271 Observation Subject Class
6.1.410 CID 6088 OB-GYN Maternal Risk Factor
6.1.411 CID 6089 Substance
6.1.412 CID 6090 Relative Usage/Exposure Amount
6.1.413 CID 6091 Relative Frequency of Event Value
6.1.414 CID 6092 Usage/Exposure Qualitative Concept
6.1.415 CID 6093 Usage/Exposure/Amount Qualitative Concept
6.1.416 CID 6094 Usage/Exposure/Frequency Qualitative Concept
6.1.417 CID 6095 Procedure Numeric Property
6.1.418 CID 6096 Pregnancy Status
6.1.419 CID 6097 Side of Family
6.1.42 CID 3000 Audio Channel Source
6.1.420 CID 6100 Chest Component Category
6.1.421 CID 6101 Chest Finding or Feature
6.1.422 CID 6102 Chest Finding or Feature Modifier
6.1.423 CID 6103 Abnormal Lines Finding or Feature
6.1.424 CID 6104 Abnormal Opacity Finding or Feature
6.1.425 CID 6105 Abnormal Lucency Finding or Feature
6.1.426 CID 6106 Abnormal Texture Finding or Feature
6.1.427 CID 6107 Width Descriptor
6.1.428 CID 6108 Chest Anatomic Structure Abnormal Distribution
6.1.429 CID 6109 Radiographic Anatomy Finding or Feature
6.1.43 CID 3001 ECG Lead
6.1.430 CID 6110 Lung Anatomy Finding or Feature
6.1.431 CID 6111 Bronchovascular Anatomy Finding or Feature
6.1.432 CID 6112 Pleura Anatomy Finding or Feature
6.1.433 CID 6113 Mediastinum Anatomy Finding or Feature
6.1.434 CID 6114 Osseous Anatomy Finding or Feature
6.1.435 CID 6115 Osseous Anatomy Modifier
6.1.436 CID 6116 Muscular Anatomy
6.1.437 CID 6117 Vascular Anatomy
6.1.438 CID 6118 Size Descriptor
6.1.439 CID 6119 Chest Border Shape
6.1.44 CID 3003 Hemodynamic Waveform Source
6.1.440 CID 6120 Chest Border Definition
6.1.441 CID 6121 Chest Orientation Descriptor
6.1.442 CID 6122 Chest Content Descriptor
6.1.443 CID 6123 Chest Opacity Descriptor
6.1.444 CID 6124 Location in Chest
6.1.445 CID 6125 General Chest Location
6.1.446 CID 6126 Location in Lung
6.1.447 CID 6127 Segment Location in Lung
6.1.448 CID 6128 Chest Distribution Descriptor
6.1.449 CID 6129 Chest Site Involvement
6.1.45 CID 3010 Cardiovascular Anatomic Structure
6.1.450 CID 6130 Severity Descriptor
6.1.451 CID 6131 Chest Texture Descriptor
6.1.452 CID 6132 Chest Calcification Descriptor
6.1.453 CID 6133 Chest Quantitative Temporal Difference Type
6.1.454 CID 6134 Chest Qualitative Temporal Difference Type
6.1.455 CID 6135 Image Quality Finding
6.1.456 CID 6136 Chest Types of Quality Control Standard
6.1.457 CID 6137 CAD Analysis Type
6.1.458 CID 6138 Chest Non-lesion Object Type
6.1.459 CID 6139 Non-lesion Modifier
6.1.46 CID 3011 Electrophysiology Anatomic Location
6.1.460 CID 6140 Calculation Method
6.1.461 CID 6141 Attenuation Coefficient Measurement
6.1.462 CID 6142 Calculated Value
6.1.463 CID 6143 Lesion Response
6.1.464 CID 6144 RECIST Defined Lesion Response
6.1.465 CID 6145 Baseline Category
6.1.466 CID 6151 Background Echotexture
6.1.467 CID 6152 Orientation
6.1.468 CID 6153 Lesion Boundary
6.1.469 CID 6154 Echo Pattern
6.1.47 CID 3014 Coronary Artery Segment
6.1.470 CID 6155 Posterior Acoustic Feature
6.1.471 CID 6157 Vascularity
6.1.472 CID 6158 Correlation to Other Finding
6.1.473 CID 6159 Malignancy Type
6.1.474 CID 6160 Breast Primary Tumor Assessment From AJCC
6.1.475 CID 6161 Pathological Regional Lymph Node Assessment for Breast
6.1.476 CID 6162 Assessment of Metastasis for Breast
6.1.477 CID 6163 Menstrual Cycle Phase
6.1.478 CID 6164 Time Interval
6.1.479 CID 6165 Breast Linear Measurement
6.1.48 CID 3015 Coronary Artery
6.1.480 CID 6166 CAD Geometry Secondary Graphical Representation
6.1.481 CID 7000 Diagnostic Imaging Report Document Title
6.1.482 CID 7001 Diagnostic Imaging Report Heading
6.1.483 CID 7002 Diagnostic Imaging Report Element
6.1.484 CID 7003 Diagnostic Imaging Report Purpose of Reference
6.1.485 CID 7004 Waveform Purpose of Reference
6.1.486 CID 7005 Contributing Equipment Purpose of Reference
6.1.487 CID 7006 SR Document Purpose of Reference
6.1.488 CID 7007 Signature Purpose
6.1.489 CID 7008 Media Import
6.1.49 CID 3019 Cardiovascular Anatomic Structure Modifier
6.1.490 CID 7010 Key Object Selection Document Title
6.1.491 CID 7011 Rejected for Quality Reason
6.1.492 CID 7012 Best in Set
6.1.493 CID 7020 Document Title
6.1.494 CID 7100 RCS Registration Method Type
6.1.495 CID 7101 Brain Atlas Fiducial
6.1.496 CID 7150 Segmentation Property Category
6.1.497 CID 7151 Segmentation Property Type
6.1.498 CID 7152 Cardiac Structure Segmentation Type
6.1.499 CID 7153 CNS Segmentation Type
6.1.5 CID 7 Ultrasound Beam Path
6.1.50 CID 3082 Cardiology Measurement Unit (Retired)
6.1.500 CID 7154 Abdominal Segmentation Type
6.1.501 CID 7155 Thoracic Segmentation Type
6.1.502 CID 7156 Vascular Segmentation Type
6.1.503 CID 7157 Device Segmentation Type
6.1.504 CID 7158 Artifact Segmentation Type
6.1.505 CID 7159 Lesion Segmentation Type
6.1.506 CID 7160 Pelvic Organ Segmentation Type
6.1.507 CID 7161 Physiology Segmentation Type
6.1.508 CID 7201 Referenced Image Purpose of Reference
6.1.509 CID 7202 Source Image Purpose of Reference
6.1.51 CID 3090 Time Synchronization Channel Type
6.1.510 CID 7203 Image Derivation
6.1.511 CID 7205 Purpose of Reference to Alternate Representation
6.1.512 CID 7210 Related Series Purpose of Reference
6.1.513 CID 7250 Multi-Frame Subset Type
6.1.514 CID 7450 Person Role
6.1.515 CID 7451 Family Member
6.1.516 CID 7452 Organizational Role
6.1.517 CID 7453 Performing Role
6.1.518 CID 7454 Animal Taxonomic Rank Value
6.1.519 CID 7455 Sex
6.1.52 CID 3101 Cardiac Procedural State Value
6.1.520 CID 7456 Age Unit
6.1.521 CID 7460 Linear Measurement Unit
6.1.522 CID 7461 Area Measurement Unit
6.1.523 CID 7462 Volume Measurement Unit
6.1.524 CID 7470 Linear Measurement
6.1.525 CID 7471 Area Measurement
6.1.526 CID 7472 Volume Measurement
6.1.527 CID 7473 General Area Calculation Method
6.1.528 CID 7474 General Volume Calculation Method
6.1.529 CID 7480 Breed
6.1.53 CID 3240 Electrophysiology Measurement Function/Technique
6.1.530 CID 7481 Breed Registry
6.1.531 CID 9231 Workitem Definition
6.1.532 CID 9232 Non-DICOM Output Types (Retired)
6.1.533 CID 9300 Procedure Discontinuation Reason
6.1.534 CID 10000 Scope of Accumulation
6.1.535 CID 10001 UID Type
6.1.536 CID 10002 Irradiation Event Type
6.1.537 CID 10003 Equipment Plane Identification
6.1.538 CID 10004 Fluoro Mode
6.1.539 CID 10006 X-Ray Filter Material
6.1.54 CID 3241 Hemodynamic Measurement Technique
6.1.540 CID 10007 X-Ray Filter Type
6.1.541 CID 10008 Dose Related Distance Measurement
6.1.542 CID 10009 Measured/Calculated
6.1.543 CID 10010 Dose Measurement Device
6.1.544 CID 10011 Effective Dose Evaluation Method
6.1.545 CID 10013 CT Acquisition Type
6.1.546 CID 10014 Contrast Imaging Technique
6.1.547 CID 10015 CT Dose Reference Authority
6.1.548 CID 10016 Anode Target Material
6.1.549 CID 10017 X-Ray Grid
6.1.55 CID 3250 Catheterization Procedure Phase
6.1.550 CID 12001 Ultrasound Protocol Type
6.1.551 CID 12002 Ultrasound Protocol Stage Type
6.1.552 CID 12003 OB-GYN Date
6.1.553 CID 12004 Fetal Biometry Ratio
6.1.554 CID 12005 Fetal Biometry Measurement
6.1.555 CID 12006 Fetal Long Bones Biometry Measurement
6.1.556 CID 12007 Fetal Cranium Measurement
6.1.557 CID 12008 OB-GYN Amniotic Sac Measurement
6.1.558 CID 12009 Early Gestation Biometry Measurement
6.1.559 CID 12011 Ultrasound Pelvis and Uterus Measurement
6.1.56 CID 3254 Electrophysiology Procedure Phase
6.1.560 CID 12012 OB Equation/Table
6.1.561 CID 12013 Gestational Age Equation/Table
6.1.562 CID 12014 OB Fetal Body Weight Equation/Table
6.1.563 CID 12015 Fetal Growth Equation/Table
6.1.564 CID 12016 Estimated Fetal Weight Percentile Equation/Table
6.1.565 CID 12017 Growth Distribution Rank
6.1.566 CID 12018 OB-GYN Summary
6.1.567 CID 12019 OB-GYN Fetus Summary
6.1.568 CID 12101 Vascular Summary
6.1.569 CID 12102 Temporal Period Relating to Procedure or Therapy
6.1.57 CID 3261 Stress Protocol
6.1.570 CID 12103 Vascular Ultrasound Anatomic Location
6.1.571 CID 12104 Extracranial Artery
6.1.572 CID 12105 Intracranial Cerebral Vessel
6.1.573 CID 12106 Intracranial Cerebral Vessel (Unilateral)
6.1.574 CID 12107 Upper Extremity Artery
6.1.575 CID 12108 Upper Extremity Vein
6.1.576 CID 12109 Lower Extremity Artery
6.1.577 CID 12110 Lower Extremity Vein
6.1.578 CID 12111 Abdominopelvic Artery (Paired)
6.1.579 CID 12112 Abdominopelvic Artery (Unpaired)
6.1.58 CID 3262 ECG Patient State Value
6.1.580 CID 12113 Abdominopelvic Vein (Paired)
6.1.581 CID 12114 Abdominopelvic Vein (Unpaired)
6.1.582 CID 12115 Renal Vessel
6.1.583 CID 12116 Vessel Segment Modifier
6.1.584 CID 12117 Vessel Branch Modifier
6.1.585 CID 12119 Vascular Ultrasound Property
6.1.586 CID 12120 Ultrasound Blood Velocity Measurement
6.1.587 CID 12121 Vascular Index/Ratio
6.1.588 CID 12122 Other Vascular Property
6.1.589 CID 12123 Carotid Ratio
6.1.59 CID 3263 Electrode Placement Value
6.1.590 CID 12124 Renal Ratio
6.1.591 CID 12140 Pelvic Vasculature Anatomical Location
6.1.592 CID 12141 Fetal Vasculature Anatomical Location
6.1.593 CID 12200 Echocardiography Left Ventricle Measurement
6.1.594 CID 12201 Left Ventricle Linear Measurement
6.1.595 CID 12202 Left Ventricle Volume Measurement
6.1.596 CID 12203 Left Ventricle Other Measurement
6.1.597 CID 12204 Echocardiography Right Ventricle Measurement
6.1.598 CID 12205 Echocardiography Left Atrium Measurement
6.1.599 CID 12206 Echocardiography Right Atrium Measurement
6.1.6 CID 8 Angiographic Interventional Device
6.1.60 CID 3264 XYZ Electrode Placement Values (Retired)
6.1.600 CID 12207 Echocardiography Mitral Valve Measurement
6.1.601 CID 12208 Echocardiography Tricuspid Valve Measurement
6.1.602 CID 12209 Echocardiography Pulmonic Valve Measurement
6.1.603 CID 12210 Echocardiography Pulmonary Artery Measurement
6.1.604 CID 12211 Echocardiography Aortic Valve Measurement
6.1.605 CID 12212 Echocardiography Aorta Measurement
6.1.606 CID 12214 Echocardiography Pulmonary Vein Measurement
6.1.607 CID 12215 Echocardiography Vena Cava Measurement
6.1.608 CID 12216 Echocardiography Hepatic Vein Measurement
6.1.609 CID 12217 Echocardiography Cardiac Shunt Measurement
6.1.61 CID 3271 Hemodynamic Physiological Challenge
6.1.610 CID 12218 Echocardiography Congenital Anomaly Measurement
6.1.611 CID 12219 Pulmonary Vein Modifier
6.1.612 CID 12220 Echocardiography Common Measurement
6.1.613 CID 12221 Flow Direction
6.1.614 CID 12222 Orifice Flow Property
6.1.615 CID 12223 Echocardiography Stroke Volume Origin
6.1.616 CID 12224 Ultrasound Image Mode
6.1.617 CID 12226 Echocardiography Image View
6.1.618 CID 12227 Echocardiography Measurement Method
6.1.619 CID 12228 Echocardiography Volume Method
6.1.62 CID 3335 ECG Annotation
6.1.620 CID 12229 Echocardiography Area Method
6.1.621 CID 12230 Gradient Method
6.1.622 CID 12231 Volume Flow Method
6.1.623 CID 12232 Myocardium Mass Method
6.1.624 CID 12233 Cardiac Phase
6.1.625 CID 12234 Respiration State
6.1.626 CID 12235 Mitral Valve Anatomic Site
6.1.627 CID 12236 Echocardiography Anatomic Site
6.1.628 CID 12237 Echocardiography Anatomic Site Modifier
6.1.629 CID 12238 Wall Motion Scoring Scheme
6.1.63 CID 3337 Hemodynamic Annotation
6.1.630 CID 12239 Cardiac Output Property
6.1.631 CID 12240 Left Ventricle Area Measurement
6.1.632 CID 12241 Tricuspid Valve Finding Site
6.1.633 CID 12242 Aortic Valve Finding Site
6.1.634 CID 12243 Left Ventricle Finding Site
6.1.635 CID 12244 Congenital Finding Site
6.1.636 CID 7162 Surface Processing Algorithm Family
6.1.637 CID 3207 Stress Test Procedure Phase
6.1.638 CID 3778 Stage
6.1.64 CID 3339 Electrophysiology Annotation
6.1.65 CID 3400 Procedure Log Title
6.1.66 CID 3401 Log Note Type
6.1.67 CID 3402 Patient Status and Event
6.1.68 CID 3403 Percutaneous Entry
6.1.69 CID 3404 Staff Action
6.1.7 CID 9 Image Guided Therapeutic Procedure
6.1.70 CID 3405 Procedure Action Value
6.1.71 CID 3406 Non-coronary Transcatheter Intervention
6.1.72 CID 3407 Object Reference Purpose
6.1.73 CID 3408 Consumable Action
6.1.735 CID 252 S-M-L Size Descriptor
6.1.736 CID 3016 Major Coronary Artery
6.1.737 CID 3083 Radioactivity Unit
6.1.738 CID 3102 Rest/Stress State
6.1.739 CID 3106 PET Cardiology Protocol
6.1.74 CID 3409 Drug/Contrast Administration
6.1.740 CID 3107 PET Cardiology Radiopharmaceutical
6.1.741 CID 3108 NM/PET Procedure
6.1.742 CID 3110 Nuclear Cardiology Protocol
6.1.743 CID 3111 Nuclear Cardiology Radiopharmaceutical
6.1.744 CID 3112 Attenuation Correction
6.1.745 CID 3113 Perfusion Defect Type
6.1.746 CID 3114 Study Quality
6.1.747 CID 3115 Stress Imaging Quality Issue
6.1.748 CID 3116 NM Extracardiac Finding
6.1.749 CID 3117 Attenuation Correction Method
6.1.75 CID 3410 Drug/Contrast Numeric Parameter
6.1.750 CID 3118 Level of Risk
6.1.751 CID 3119 LV Function
6.1.752 CID 3120 Perfusion Finding
6.1.753 CID 3121 Perfusion Morphology
6.1.754 CID 3122 Ventricular Enlargement
6.1.755 CID 3200 Stress Test Procedure
6.1.756 CID 3201 Indications for Stress Test
6.1.757 CID 3202 Chest Pain
6.1.758 CID 3203 Exerciser Device
6.1.759 CID 3204 Stress Agent
6.1.76 CID 3411 Intracoronary Device
6.1.760 CID 3205 Indications for Pharmacological Stress Test
6.1.761 CID 3206 Non-invasive Cardiac Imaging Procedure
6.1.763 CID 3208 Exercise ECG Summary Code
6.1.764 CID 3209 Stress Imaging Summary Code
6.1.765 CID 3210 Speed of Response
6.1.766 CID 3211 BP Response
6.1.767 CID 3212 Treadmill Speed
6.1.768 CID 3213 Stress Hemodynamic Finding
6.1.769 CID 3215 Perfusion Finding Method
6.1.77 CID 3412 Intervention Action/Status
6.1.770 CID 3217 Comparison Finding
6.1.771 CID 3220 Stress Symptom
6.1.772 CID 3221 Stress Test Termination Reason
6.1.773 CID 3227 QTc Measurement
6.1.774 CID 3228 ECG Timing Measurement
6.1.775 CID 3229 ECG Axis Measurement
6.1.776 CID 3230 ECG Finding
6.1.777 CID 3231 ST Segment Finding
6.1.778 CID 3232 ST Segment Location
6.1.779 CID 3233 ST Segment Morphology
6.1.78 CID 3413 Adverse Outcome
6.1.780 CID 3234 Ectopic Beat Morphology
6.1.781 CID 3235 Perfusion Comparison Finding
6.1.782 CID 3236 Tolerance Comparison Finding
6.1.783 CID 3237 Wall Motion Comparison Finding
6.1.784 CID 3238 Stress Scoring Scale
6.1.785 CID 3239 Perceived Exertion Scale
6.1.786 CID 3463 Ventricle Identification
6.1.787 CID 6200 Colon Overall Assessment
6.1.788 CID 6201 Colon Finding or Feature
6.1.789 CID 6202 Colon Finding or Feature Modifier
6.1.79 CID 3414 Procedure Urgency
6.1.790 CID 6203 Colon Non-lesion Object Type
6.1.791 CID 6204 Anatomic Non-colon Finding
6.1.792 CID 6205 Clockface Location for Colon
6.1.793 CID 6206 Recumbent Patient Orientation for Colon
6.1.794 CID 6207 Colon Quantitative Temporal Difference Type
6.1.795 CID 6208 Colon Types of Quality Control Standard
6.1.796 CID 6209 Colon Morphology Descriptor
6.1.797 CID 6210 Location in Intestinal Tract
6.1.798 CID 6211 Colon CAD Material Description
6.1.799 CID 6212 Calculated Value for Colon Finding
6.1.8 CID 10 Interventional Drug
6.1.80 CID 3415 Cardiac Rhythm
6.1.800 CID 4214 Ophthalmic Horizontal Direction
6.1.801 CID 4215 Ophthalmic Vertical Direction
6.1.802 CID 4216 Ophthalmic Visual Acuity Type
6.1.803 CID 3004 Arterial Pulse Waveform
6.1.804 CID 3005 Respiration Waveform
6.1.805 CID 12030 Ultrasound Contrast/Bolus Agent
6.1.806 CID 12031 Protocol Interval Event
6.1.807 CID 12032 Transducer Scan Pattern
6.1.808 CID 12033 Ultrasound Transducer Geometry
6.1.809 CID 12034 Ultrasound Transducer Beam Steering
6.1.81 CID 3416 Respiration Rhythm
6.1.810 CID 12035 Ultrasound Transducer Application
6.1.811 CID 50 Instance Availability Status
6.1.812 CID 9301 Modality PPS Discontinuation Reason
6.1.813 CID 9302 Media Import PPS Discontinuation Reason
6.1.814 CID 7482 DX Anatomy Imaged for Animal
6.1.815 CID 7483 Common Anatomic Regions for Animal
6.1.816 CID 7484 DX View for Animal
6.1.817 CID 7030 Institutional Department/Unit/Service
6.1.818 CID 7009 Purpose of Reference to Predecessor Report
6.1.819 CID 4220 Visual Fixation Quality During Acquisition
6.1.82 CID 3418 Lesion Risk
6.1.820 CID 4221 Visual Fixation Quality Problem
6.1.821 CID 4222 Ophthalmic Macular Grid Problem
6.1.822 CID 5002 Organization
6.1.823 CID 7486 Mixed Breed
6.1.824 CID 7040 Broselow-Luten Pediatric Size Category
6.1.825 CID 7042 CMDCTECC Calcium Scoring Patient Size Category
6.1.826 CID 12245 Cardiac Ultrasound Report Title
6.1.827 CID 12246 Cardiac Ultrasound Indication for Study
6.1.828 CID 12247 Pediatric, Fetal and Congenital Cardiac Surgical Intervention
6.1.829 CID 12248 Cardiac Ultrasound Summary Code
6.1.83 CID 3419 Finding Title
6.1.830 CID 12249 Cardiac Ultrasound Fetal Summary Code
6.1.831 CID 12250 Cardiac Ultrasound Common Linear Measurement
6.1.832 CID 12251 Cardiac Ultrasound Linear Valve Measurement
6.1.833 CID 12252 Cardiac Ultrasound Cardiac Function
6.1.834 CID 12253 Cardiac Ultrasound Area Measurement
6.1.835 CID 12254 Cardiac Ultrasound Hemodynamic Measurement
6.1.836 CID 12255 Cardiac Ultrasound Myocardium Measurement
6.1.838 CID 12257 Cardiac Ultrasound Left Ventricle Measurement
6.1.839 CID 12258 Cardiac Ultrasound Right Ventricle Measurement
6.1.84 CID 3421 Procedure Action
6.1.840 CID 12259 Cardiac Ultrasound Ventricles Measurement
6.1.841 CID 12260 Cardiac Ultrasound Pulmonary Artery Measurement
6.1.842 CID 12261 Cardiac Ultrasound Pulmonary Vein
6.1.843 CID 12262 Cardiac Ultrasound Pulmonary Valve Measurement
6.1.844 CID 12263 Cardiac Ultrasound Venous Return Pulmonary Measurement
6.1.845 CID 12264 Cardiac Ultrasound Venous Return Systemic Measurement
6.1.846 CID 12265 Cardiac Ultrasound Atria and Atrial Septum Measurement
6.1.847 CID 12266 Cardiac Ultrasound Mitral Valve Measurement
6.1.848 CID 12267 Cardiac Ultrasound Tricuspid Valve Measurement
6.1.849 CID 12268 Cardiac Ultrasound Atrioventricular Valve Measurement
6.1.85 CID 3422 Device Use Action
6.1.850 CID 12269 Cardiac Ultrasound Interventricular Septum Measurement
6.1.851 CID 12270 Cardiac Ultrasound Aortic Valve Measurement
6.1.852 CID 12271 Cardiac Ultrasound Outflow Tract Measurement
6.1.853 CID 12272 Cardiac Ultrasound Semilunar Valve, Annulate and Sinus Measurement
6.1.854 CID 12273 Cardiac Ultrasound Aortic Sinotubular Junction Measurement
6.1.855 CID 12274 Cardiac Ultrasound Aorta Measurement
6.1.856 CID 12275 Cardiac Ultrasound Coronary Artery Measurement
6.1.857 CID 12276 Cardiac Ultrasound Aorto Pulmonary Connection Measurement
6.1.858 CID 12277 Cardiac Ultrasound Pericardium and Pleura Measurement
6.1.859 CID 12279 Cardiac Ultrasound Fetal General Measurement
6.1.86 CID 3423 Numeric Device Characteristic
6.1.860 CID 12280 Cardiac Ultrasound Target Site
6.1.861 CID 12281 Cardiac Ultrasound Target Site Modifier
6.1.862 CID 12282 Cardiac Ultrasound Venous Return Systemic Finding Site
6.1.863 CID 12283 Cardiac Ultrasound Venous Return Pulmonary Finding Site
6.1.864 CID 12284 Cardiac Ultrasound Atria and Atrial Septum Finding Site
6.1.865 CID 12285 Cardiac Ultrasound Atrioventricular Valve Finding Site
6.1.866 CID 12286 Cardiac Ultrasound Interventricular Septum Finding Site
6.1.867 CID 12287 Cardiac Ultrasound Ventricle Finding Site
6.1.868 CID 12288 Cardiac Ultrasound Outflow Tract Finding Site
6.1.869 CID 12289 Cardiac Ultrasound Semilunar Valve, Annulus and Sinus Finding Site
6.1.87 CID 3425 Intervention Parameter
6.1.870 CID 12290 Cardiac Ultrasound Pulmonary Artery Finding Site
6.1.871 CID 12291 Cardiac Ultrasound Aorta Finding Site
6.1.872 CID 12292 Cardiac Ultrasound Coronary Artery Finding Site
6.1.873 CID 12293 Cardiac Ultrasound Aortopulmonary Connection Finding Site
6.1.874 CID 12294 Cardiac Ultrasound Pericardium and Pleura Finding Site
6.1.876 CID 4230 Ophthalmic Ultrasound Axial Measurements Type
6.1.877 CID 4231 Lens Status
6.1.878 CID 4232 Vitreous Status
6.1.879 CID 4233 Ophthalmic Axial Length Measurements Segment Name
6.1.88 CID 3426 Consumables Parameter
6.1.880 CID 4234 Refractive Surgery Type
6.1.881 CID 4235 Keratometry Descriptor
6.1.882 CID 4236 IOL Calculation Formula
6.1.883 CID 4237 Lens Constant Type
6.1.884 CID 4238 Refractive Error Type
6.1.885 CID 4239 Anterior Chamber Depth Definition
6.1.886 CID 4240 Ophthalmic Measurement or Calculation Data Source
6.1.887 CID 4241 Ophthalmic Axial Length Selection Method
6.1.889 CID 4243 Ophthalmic Quality Metric Type
6.1.89 CID 3427 Equipment Event
6.1.890 CID 4244 Ophthalmic Agent Concentration Unit
6.1.891 CID 91 Functional Condition Present During Acquisition
6.1.892 CID 92 Joint Position During Acquisition
6.1.893 CID 93 Joint Positioning Method
6.1.894 CID 94 Physical Force Applied During Acquisition
6.1.895 CID 3690 ECG Control Numeric Variable
6.1.896 CID 3691 ECG Control Text Variable
6.1.897 CID 8120 Whole Slide Microscopy Image Referenced Image Purpose of Reference
6.1.898 CID 8121 Microscopy Lens Type
6.1.899 CID 8122 Microscopy Illuminator and Sensor Color
6.1.9 CID 11 Administration Route
6.1.90 CID 3428 Cardiovascular Imaging Procedure
6.1.900 CID 8123 Microscopy Illumination Method
6.1.901 CID 8124 Microscopy Filter
6.1.902 CID 8125 Microscopy Illuminator Type
6.1.903 CID 400 Audit Event ID
6.1.904 CID 401 Audit Event Type Code
6.1.905 CID 402 Audit Active Participant Role ID Code
6.1.906 CID 403 Security Alert Type Code
6.1.907 CID 404 Audit Participant Object ID Type Code
6.1.908 CID 405 Media Type Code
6.1.909 CID 4250 Visual Field Static Perimetry Test Pattern
6.1.91 CID 3429 Catheterization Device
6.1.910 CID 4251 Visual Field Static Perimetry Test Strategy
6.1.911 CID 4252 Visual Field Static Perimetry Screening Test Mode
6.1.912 CID 4253 Visual Field Static Perimetry Fixation Strategy
6.1.913 CID 4254 Visual Field Static Perimetry Test Analysis Result
6.1.914 CID 4255 Visual Field Illumination Color
6.1.915 CID 4256 Visual Field Procedure Modifier
6.1.916 CID 4257 Visual Field Global Index Name
6.1.917 CID 7180 Abstract Multi-dimensional Image Model Component Semantic
6.1.918 CID 7181 Abstract Multi-dimensional Image Model Component Unit
6.1.919 CID 7182 Abstract Multi-dimensional Image Model Dimension Semantic
6.1.92 CID 3430 DateTime Qualifier
6.1.920 CID 7183 Abstract Multi-dimensional Image Model Dimension Unit
6.1.921 CID 7184 Abstract Multi-dimensional Image Model Axis Direction
6.1.922 CID 7185 Abstract Multi-dimensional Image Model Axis Orientation
6.1.923 CID 7186 Abstract Multi-dimensional Image Model Qualitative Dimension Sample Semantic
6.1.924 CID 7320 Planning Method
6.1.925 CID 7050 De-identification Method
6.1.926 CID 12118 Measurement Orientation
6.1.927 CID 3689 ECG Global Waveform Duration
6.1.93 CID 3440 Peripheral Pulse Location
6.1.930 CID 3692 ICD
6.1.931 CID 9241 Radiotherapy General Workitem Definition
6.1.932 CID 9242 Radiotherapy Acquisition Workitem Definition
6.1.933 CID 9243 Radiotherapy Registration Workitem Definition
6.1.934 CID 3850 Contrast Bolus Substance
6.1.935 CID 10022 Label Type
6.1.936 CID 4260 Ophthalmic Mapping Unit for Real World Value Mapping
6.1.937 CID 4261 Ophthalmic Mapping Acquisition Method
6.1.938 CID 4262 Retinal Thickness Definition
6.1.939 CID 4263 Ophthalmic Thickness Map Value Type
6.1.94 CID 3441 Patient Assessment
6.1.940 CID 4264 Ophthalmic Map Purpose of Reference
6.1.941 CID 4265 Ophthalmic Thickness Deviation Category
6.1.942 CID 4266 Ophthalmic Anatomic Structure Reference Point
6.1.943 CID 3104 Cardiac Synchronization Technique
6.1.944 CID 8130 Staining Protocol
6.1.947 CID 10023 Size Specific Dose Estimation Method for CT
6.1.948 CID 8131 Pathology Imaging Protocol
6.1.949 CID 8132 Magnification Selection
6.1.95 CID 3442 Peripheral Pulse Method
6.1.950 CID 8133 Tissue Selection
6.1.951 CID 7464 General Region of Interest Measurement Modifier
6.1.952 CID 7465 Measurement Derived From Multiple ROI Measurements
6.1.953 CID 8201 Surface Scan Acquisition Type
6.1.954 CID 8202 Surface Scan Mode Type
6.1.956 CID 8203 Surface Scan Registration Method Type
6.1.957 CID 27 Basic Cardiac View
6.1.958 CID 10033 CT Reconstruction Algorithm
6.1.959 CID 10030 Detector Type
6.1.96 CID 3446 Skin Condition
6.1.960 CID 10031 CR/DR Mechanical Configuration
6.1.961 CID 10032 Projection X-Ray Acquisition Device Type
6.1.962 CID 7165 Abstract Segmentation Type
6.1.963 CID 7166 Common Tissue Segmentation Type
6.1.964 CID 7167 Peripheral Nervous System Segmentation Type
6.1.965 CID 4267 Corneal Topography Mapping Unit for Real World Value Mapping
6.1.966 CID 4268 Corneal Topography Map Value Type
6.1.967 CID 7140 Brain Structure for Volumetric Measurement
6.1.968 CID 7220 RT Dose Derivation
6.1.969 CID 7221 RT Dose Purpose of Reference
6.1.97 CID 3448 Airway Assessment
6.1.970 CID 7215 Spectroscopy Purpose of Reference
6.1.971 CID 9250 Scheduled Processing Parameter Concept Codes for RT Treatment
6.1.972 CID 10040 Radiopharmaceutical Organ Dose Reference Authority
6.1.973 CID 10041 Source of Radioisotope Activity Information
6.1.975 CID 10043 Intravenous Extravasation Symptom
6.1.976 CID 10044 Radiosensitive Organ
6.1.977 CID 10045 Radiopharmaceutical Patient State
6.1.978 CID 10046 GFR Measurement
6.1.979 CID 10047 GFR Measurement Method
6.1.98 CID 3451 Calibration Object
6.1.980 CID 8300 Visual Evaluation Method
6.1.981 CID 8301 Test Pattern Code
6.1.982 CID 8302 Measurement Pattern Code
6.1.983 CID 8303 Display Device Type
6.1.984 CID 85 SUV Unit
6.1.985 CID 4100 T1 Measurement Method
6.1.986 CID 4101 Tracer Kinetic Model
6.1.987 CID 4102 Perfusion Measurement Method
6.1.988 CID 4103 Arterial Input Function Measurement Method
6.1.989 CID 4104 Bolus Arrival Time Derivation Method
6.1.99 CID 3452 Calibration Method
6.1.990 CID 4105 Perfusion Analysis Method
6.1.991 CID 4106 Quantitative Method Used for Perfusion and Tracer Kinetic Model
6.1.992 CID 4107 Tracer Kinetic Model Parameter
6.1.993 CID 4108 Perfusion Model Parameter
6.1.994 CID 4109 Model-Independent Dynamic Contrast Analysis Parameter
6.1.995 CID 4110 Tracer Kinetic Modeling Covariate
6.1.996 CID 4111 Contrast Characteristic
6.1.997 CID 7021 Measurement Report Document Title
6.1.998 CID 100 Quantitative Diagnostic Imaging Procedure
6.1.999 CID 7466 PET Region of Interest Measurement
7.1.1 Native DICOM Model
7.1.2 Abstract Multi-Dimensional Image Model
8.1.1 DICOM Content Mapping Resource
9.1 Imaging Report
9.10 Labeled Subsection
9.11 Communication of Actionable Findings
9.12 Recommendation
9.13 Procedural Medication
9.14 Procedure Technique
9.15 Image Quality
9.16 Study Act
9.17 Series Act
9.18 SOP Instance Observation
9.19 Section Text
9.2 Clinical Information
9.20 General Header
9.21 Imaging Header
9.22 Parent Document
9.23 General Section Entries
9.24 Imaging Addendum Report
9.3 Imaging Procedure Description
9.4 Comparison Study
9.5 Impression
9.6 Addendum
9.7 Request
9.8 Radiation Exposure and Protection Information
9.9 Fetus Findings
"""
