// Error codes of the format and of the store. No allocation; usable freestanding.
// The numbers are part of the file format's documentation (docs/format.md) and never change
// meaning.
#pragma once
#include <cstdint>

namespace rvf {

enum class ErrorCode : uint16_t {
  kOk = 0x0000,
  kPartial = 0x0001,
  // format
  kBadMagic = 0x0100,
  kBadVersion = 0x0101,
  kBadChecksum = 0x0102,
  kBadSignature = 0x0103,
  kTruncated = 0x0104,
  kManifestInvalid = 0x0105,
  kManifestNotFound = 0x0106,
  kUnknownSegmentType = 0x0107,
  kBadAlignment = 0x0108,
  kBadMetadata = 0x0109,
  kReplayLimit = 0x010A,
  kBrokenAncestry = 0x010B,
  kCorrupt = 0x010C,  // a structure is inconsistent although its checksum may hold
  kUnsupported = 0x010D,  // well-formed, but this build cannot read it (dtype, compression, layout)
  // query and input
  kWrongDimension = 0x0200,
  kEmptyIndex = 0x0201,
  kWrongMetric = 0x0202,
  kBadFilter = 0x0203,
  kBadK = 0x0204,
  kTimeout = 0x0205,
  kFilterBudget = 0x0206,
  kNotFinite = 0x0207,  // NaN or infinity in a vector
  kDuplicateId = 0x0208,  // the same id twice in one batch
  kBadArgument = 0x0209,
  kNotFound = 0x020A,
  kOutOfRange = 0x020B,  // a value does not fit the store's dtype
  kCancelled = 0x020C,
  kWrongIdKind = 0x020D,  // numbers for a store of text ids, or texts for one of numbers
  // writing
  kLockHeld = 0x0300,
  kLockStale = 0x0301,
  kDiskFull = 0x0302,
  kSyncFailed = 0x0303,
  kTooLarge = 0x0304,
  kReadOnly = 0x0305,
  kAlreadyExists = 0x0306,
  kWriterPoisoned = 0x0307,  // an earlier write failed in a way that needs a reopen
  kConvertNeeded = 0x0308,  // another RVF layout: readable, must be converted before writing
  kPathLost = 0x0309,  // the path does not name the file that is being written any more
  // input and output
  kIo = 0x0380,
  kNoSuchFile = 0x0381,
  kNotAStore = 0x0382,  // a directory, a device or a file that is not RVF
  kPermission = 0x0383,
  kOutOfMemory = 0x0384,
  kBudgetExceeded = 0x0385,
  // tile
  kTileTrap = 0x0400,
  kTileMemory = 0x0401,
  // crypto
  kKeyNotFound = 0x0500,
  kDecryptFailed = 0x0501,
  kAttestation = 0x0502,
  // lineage
  kParentNotFound = 0x0600,
  kParentHash = 0x0601,
  kLineageBroken = 0x0602,
  kLineageCyclic = 0x0603,
  // copy on write
  kCowMap = 0x0700,
  kMembership = 0x0701,
  kFrozen = 0x0702,
  // trust
  kUnsigned = 0x0800,
  kContentHash = 0x0801,
  kUnknownSigner = 0x0802,
  kEpochDrift = 0x0803,
  kLevel1Signature = 0x0804,
  // quality
  kQualityDegraded = 0x0900,
  kQualityUnreliable = 0x0901,
  kQualityRefused = 0x0902,
};

// A short, stable, lower-case name such as "bad_checksum". Never null.
const char* error_name(ErrorCode code) noexcept;

}  // namespace rvf
