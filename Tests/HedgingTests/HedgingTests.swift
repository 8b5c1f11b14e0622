import Testing
import TestSupport
import Hedging
